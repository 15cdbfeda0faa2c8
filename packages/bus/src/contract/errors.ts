/** The log can no longer be trusted (a failed fsync, a corrupt file, a file removed under it): stop the process, do not retry. */
export class LogFailed extends Error {
  override readonly name = 'LogFailed';
}

/**
 * The log cannot be opened as things are, and nothing has been changed: its directory cannot be written, something of it is
 * missing, it is of a newer version or no log at all. The message says what to do. Comes from opening only.
 */
export class LogRefused extends Error {
  override readonly name = 'LogRefused';
}

/** Another process holds the data directory. */
export class LogLocked extends Error {
  override readonly name = 'LogLocked';
}
