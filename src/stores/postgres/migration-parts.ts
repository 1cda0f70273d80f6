/** The parts of a migration before they are put together. */
export interface MigrationParts {
  readonly findings: string;
  /** PL/pgSQL. Each statement may be repeated, and may rely on `declare`. */
  readonly up: string;
  readonly down: string;
  readonly declare: string;
}
