import { BODY_LIMITS, sizeSchema } from '@magpie/contract';
import { z } from 'zod';

const mediaTypeSchema = z.string().regex(/^[\w!#$&^.+-]+\/([\w!#$&^.+-]+|\*)$/, {
  error: 'expected a media type such as image/png or image/*',
});

/** Which linked files a route fetches. Gives `FetchRules`. */
export const fetchSchema = z.strictObject({
  maxBytes: sizeSchema()
    .refine((bytes) => bytes <= BODY_LIMITS.max, { error: 'expected at most 16MiB' })
    .prefault('1MiB')
    .describe('Largest file. "gateway.limits.maxBodyBytes" holds as well.'),
  mediaTypes: z
    .array(mediaTypeSchema.toLowerCase())
    .min(1)
    .optional()
    .describe('Media types that are fetched, such as image/png or image/*. Default: all.'),
  allow: z
    .array(z.string().min(1).toLowerCase())
    .default([])
    .describe(
      'Hosts that may be in a private network, such as upload.plant.local. All others are fetched from the public Internet only.',
    ),
});
