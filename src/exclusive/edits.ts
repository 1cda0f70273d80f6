/**
 * Tells when the record of a holding was edited: compares the version in the listing with the version that the current
 * attempt has hydrated. The listing may lag behind, so only a version listed since the attempt began is an edit.
 */
export class Edits {
  /** The record's version according to the listing, if it has one. */
  listed: string | undefined;
  /** The record's version as of the last attempt that hydrated. */
  hydrated: string | undefined;
  #listedAtStart: string | undefined;

  constructor(listed: string | undefined) {
    this.listed = listed;
  }

  /** An attempt begins, and has not hydrated yet. */
  begin(): void {
    this.#listedAtStart = this.listed;
    this.hydrated = undefined;
  }

  /** Whether the current attempt serves a version that has been edited since. */
  get edited(): boolean {
    const { listed, hydrated } = this;
    return hydrated !== undefined && listed !== undefined && listed !== hydrated && listed !== this.#listedAtStart;
  }
}
