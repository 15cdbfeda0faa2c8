import { z } from 'zod';

/**
 * Schema of a file or directory path in a configuration. Parses to the text as it stands; the configuration loader makes
 * relative paths absolute, from the directory of the configuration file, before an adapter sees them.
 */
export const filePathSchema = (): z.ZodString => z.string().min(1).meta({ filePath: true });
