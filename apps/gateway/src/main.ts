#!/usr/bin/env node
import { finish } from './cli/output/fail.ts';
import { createProgram } from './cli/program.ts';

await finish(createProgram().parseAsync(process.argv));
