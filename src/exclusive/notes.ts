/** How often a connection has failed to start, counted per version of its record. */
export interface FailedStarts {
  /** `undefined` when the version was not known. */
  readonly version: string | undefined;
  readonly count: number;
}

/** What an owner leaves behind for the next one, kept with the claim. */
export interface Notes {
  /** The version of the record that was provisioned last. */
  readonly provisioned?: string | undefined;
  readonly failed?: FailedStarts | undefined;
}

/** As the store keeps it: JSON, for people who look. */
export function formatNotes({ provisioned, failed }: Notes): string {
  return JSON.stringify({ provisioned, failed });
}

/** Notes that cannot be read (written by another version of this package) are as good as none. */
export function parseNotes(text: string | undefined): Notes {
  if (text === undefined || text === '') return {};
  try {
    const { provisioned, failed } = JSON.parse(text) as { provisioned?: unknown; failed?: { version?: unknown; count?: unknown } | null };
    return {
      provisioned: typeof provisioned === 'string' ? provisioned : undefined,
      failed: typeof failed?.count === 'number' && Number.isSafeInteger(failed.count) && failed.count > 0
        ? { version: typeof failed.version === 'string' ? failed.version : undefined, count: failed.count }
        : undefined,
    };
  } catch {
    return {};
  }
}
