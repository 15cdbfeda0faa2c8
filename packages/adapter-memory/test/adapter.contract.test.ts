import { adapterContract } from '@magpie/testkit';
import { memorySuite } from './memory-suite.ts';

adapterContract(memorySuite);
