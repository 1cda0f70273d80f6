/** How often a connection has failed to start, counted per version of its record. */
export interface FailedStarts {
  /** `undefined` when the version was not known. */
  readonly version: string | undefined;
  readonly count: number;
}

/** The notes that an owner leaves for the next one. The store keeps them with the claim, as JSON that people can read. */
export class ClaimNotes {
  #provisioned: string | undefined;
  #failed: FailedStarts | undefined;
  #unsaved: string | undefined;

  /** @param text - as stored. Notes in another format, written by another version of this package, count as none */
  constructor(text: string | undefined) {
    if (text === undefined) return;
    try {
      const { provisioned, failed } = JSON.parse(text) as {
        provisioned?: unknown;
        failed?: { version?: unknown; count?: number } | null;
      };
      if (typeof provisioned === 'string') this.#provisioned = provisioned;
      const { version, count = 0 } = failed ?? {};
      if (Number.isSafeInteger(count) && count > 0) {
        this.#failed = { version: typeof version === 'string' ? version : undefined, count };
      }
    } catch {
      // Notes are a hint for the next owner, never a condition.
    }
  }

  /** The version of the record that was provisioned last. */
  get provisioned(): string | undefined {
    return this.#provisioned;
  }

  set provisioned(version: string) {
    this.#provisioned = version;
    this.#changed();
  }

  get failed(): FailedStarts | undefined {
    return this.#failed;
  }

  set failed(failed: FailedStarts | undefined) {
    this.#failed = failed;
    this.#changed();
  }

  /** Notes that the store does not have yet. */
  get unsaved(): string | undefined {
    return this.#unsaved;
  }

  /** The store now has `text`. */
  saved(text: string): void {
    if (text === this.#unsaved) this.#unsaved = undefined;
  }

  #changed(): void {
    this.#unsaved = JSON.stringify({ provisioned: this.#provisioned, failed: this.#failed });
  }
}
