import { z } from 'zod';
import { roomAddresses } from './codec/addresses.ts';
import { jidProblem, normalJid, splitJid } from './codec/jid.ts';

const problemOf = (text: string, problem: string | undefined): string => `"${text}" has ${problem}`;

/** `user@domain`, normalized. */
export const bareJidSchema = (what: string): z.ZodType<string, string> =>
  z.string().transform((text, context) => {
    const jid = splitJid(text);
    const problem = jid.local === '' || jid.resource !== undefined ? 'not the form user@domain' : jidProblem(jid);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: `${what}: ${problemOf(text, problem)}` });
    return normalJid(text);
  });

/** Address of a room, normalized. */
export const roomJidSchema = z.string().transform((text, context) => {
  const problem = roomAddresses.check(roomAddresses.split({ room: text }));
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problemOf(text, problem) });
  return normalJid(text);
});

/** A resource or a nick. */
export const resourcePart = z
  .string()
  .refine((text) => jidProblem({ local: '', domain: 'd', resource: text }) === undefined, {
    error: 'expected 1 to 1023 bytes without control characters',
  });

/** A domain, in lower case. */
export const domainSchema = z.string().transform((text, context) => {
  const problem = text.includes('/') || text.includes('@') ? 'not the form of a domain' : jidProblem(splitJid(text));
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problemOf(text, problem) });
  return text.toLowerCase();
});
