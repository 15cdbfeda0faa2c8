import { uuidv7 } from 'uuidv7';

/** A fresh event ref: UUIDv7 (RFC 9562), sortable by creation time. */
export const newRef = (): string => uuidv7();
