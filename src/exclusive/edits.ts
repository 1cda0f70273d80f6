/**
 * Tells when the record of a holding was edited: compares the version in the listing with the version that the current
 * attempt has hydrated. The listing may lag behind, so only a version listed since the attempt began is an edit.
 */
export class Edits {
  #listed: string | undefined;
  #listedAtStart: string | undefined;
  #hydrated: string | undefined;

  /** @param listed - the record's version according to the listing, if it has one */
  constructor(listed: string | undefined) {
    this.#listed = listed;
  }

  get listed(): string | undefined {
    return this.#listed;
  }

  /** The record's version, as of the last attempt that hydrated. */
  get hydrated(): string | undefined {
    return this.#hydrated;
  }

  /** A new listing was read. Returns whether it has another version than the one before. */
  list(version: string | undefined): boolean {
    const differs = version !== undefined && version !== this.#listed;
    this.#listed = version;
    return differs;
  }

  attemptBegan(): void {
    this.#listedAtStart = this.#listed;
    this.#hydrated = undefined;
  }

  attemptHydrated(version: string): void {
    this.#hydrated = version;
  }

  /** Whether the current attempt serves a version that has been edited since. */
  get edited(): boolean {
    if (this.#hydrated === undefined || this.#listed === undefined) return false;
    return this.#listed !== this.#hydrated && this.#listed !== this.#listedAtStart;
  }
}
