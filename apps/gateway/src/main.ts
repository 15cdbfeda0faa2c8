#!/usr/bin/env node
import { finish } from './cli/fail.ts';
import { createProgram } from './cli/program.ts';

await finish(createProgram().parseAsync(process.argv));
