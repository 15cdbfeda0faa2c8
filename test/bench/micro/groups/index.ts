import type { Group } from '../case.ts';
import { api } from './api.ts';
import { append } from './append.ts';
import { cel } from './cel.ts';
import { codecs } from './codecs.ts';
import { cursor } from './cursor.ts';
import { matching } from './matching.ts';
import { read } from './read.ts';

/** All groups, in the order in which a message meets them. */
export const GROUPS: readonly Group[] = [codecs, matching, cel, append, read, cursor, api];
