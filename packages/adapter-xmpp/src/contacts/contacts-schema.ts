import { filePathSchema } from '@magpie/contract';
import { z } from 'zod';
import { access } from '../access.ts';
import { cardProblem } from './card-patterns.ts';

/** Only JIDs: in a list of contacts nobody has an affiliation. */
const jidEntry = z.string().superRefine((entry, context) => {
  const problem = entry.includes('@') ? access.validate(entry) : 'expected user@example.org or *@example.org';
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const cardSchema = z
  .strictObject({
    contact: z.string().min(1).describe('Names of the contacts it is for, such as pump-{number} or {device}.'),
    name: z
      .string()
      .min(1)
      .optional()
      .describe('What people read, such as Pump {number}; default the contact as it is.'),
    groups: z
      .array(z.string().min(1))
      .default([])
      .describe('Groups of a list of contacts that are proposed for it (XEP-0144).'),
    photo: filePathSchema()
      .optional()
      .describe('Picture of at most 128 KiB: PNG, JPEG, GIF or WebP. Read at every connect.'),
  })
  .superRefine((rule, context) => {
    const message = cardProblem(rule);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** The key `contacts` of a connection. */
export const contactsSchema = z.strictObject({
  allow: z
    .array(jidEntry)
    .default([])
    .describe('Who may have our contacts in their lists: user@example.org, or *@example.org for a whole domain.'),
  cards: z
    .array(cardSchema)
    .default([])
    .describe(
      'What contacts are called and look like; the first that fits counts. Without one a contact has its own name. Components only: the card of an account is at its server.',
    ),
});
