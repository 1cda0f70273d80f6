/** The longest id that is looked at. Ids go into queries, log lines and metrics. */
export const MAX_ID_LENGTH = 1_024;
