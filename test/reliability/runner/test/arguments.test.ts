import { describe, expect, it } from 'vitest';
import { readArguments, WrongArguments } from '../arguments.ts';

const FILES = ['garbage', 'killed-brokers', 'killed-gateway', 'power-cut'];
const read = (line: string) => readArguments(line === '' ? [] : line.split(' '), FILES, () => 77);

const sentence = (line: string): string => {
  try {
    read(line);
  } catch (error) {
    if (error instanceof WrongArguments) return error.message;
    throw error;
  }
  throw new Error(`'${line}' was accepted`);
};

describe('the command line of a long run', () => {
  it('runs all files with a new seed when nothing is asked for', () => {
    expect(read('')).toEqual({
      ...{ kills: 2000, images: 300, seed: 77, files: FILES, record: false, json: undefined },
    });
  });

  it('takes every option, and a word of --only stands for all files that contain it', () => {
    expect(read('--kills 300 --images 0 --seed 1 --only killed --only power --record --json out.json')).toEqual({
      ...{ kills: 300, images: 0, seed: 1, record: true, json: 'out.json' },
      files: ['killed-brokers', 'killed-gateway', 'power-cut'],
    });
  });

  it('answers --help whatever else is asked for', () => {
    expect(read('--help --kills 3')).toBe('help');
  });

  it.each([
    ['--kils 3', "Unknown option '--kils'. --help shows the options."],
    ['killed-gateway', "Unexpected argument 'killed-gateway'. --help shows the options."],
    ['--kills', "Option '--kills <value>' argument missing. --help shows the options."],
    ['--record=yes', "Option '--record' does not take an argument. --help shows the options."],
    ['--kills many', "--kills wants a whole number from 0 to 1000000, got 'many'."],
    ['--images 1.5', "--images wants a whole number from 0 to 1000000, got '1.5'."],
    ['--images=-1', "--images wants a whole number from 0 to 1000000, got '-1'."],
    ['--seed 4294967296', "--seed wants a whole number from 0 to 4294967295, got '4294967296'."],
    ['--seed=', "--seed wants a whole number from 0 to 4294967295, got ''."],
    ['--json=', '--json wants the name of a file.'],
    [
      '--only gateway --only nothing',
      "--only 'nothing' is part of no file's name; there are garbage, killed-brokers, killed-gateway, power-cut.",
    ],
    ['--only=', "--only '' is part of no file's name; there are garbage, killed-brokers, killed-gateway, power-cut."],
  ])('refuses %s with a sentence', (line, expected) => {
    expect(sentence(line)).toBe(expected);
  });
});
