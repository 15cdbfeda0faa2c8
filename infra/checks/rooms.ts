import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './command.ts';

/** The page that shows the folders of the repository, from its root. */
const PAGE = 'apps/docs/architecture.md';

/** Where sources lie: in these folders and all below them. What tests are made of is named by its top folders alone. */
const SOURCES = ['{apps,infra,packages}/*/src/**/*.{ts,tsx}', 'infra/checks/*.ts', 'test/*/*.ts'];

/** A row of a table whose first cell is a linked folder. */
const ROW = /^\| \[`([^`]+)`\]\(([^)]+)\) \| (.*) \|$/gm;

/**
 * Holds the page of the architecture against the folders that are there. Called by the check of the documentation.
 * @param root directory of the repository.
 * @returns what is wrong, a line each: folders without a sentence, and rows that name no folder; empty when all is well.
 */
export function roomProblems(root: string = ROOT): readonly string[] {
  const rows = [...readFileSync(join(root, PAGE), 'utf8').matchAll(ROW)];
  const named = new Set(rows.map(([, folder]) => folder));
  const folders = new Set(globSync([...SOURCES], { cwd: root }).map((file) => dirname(file)));
  return [
    ...[...folders]
      .filter((folder) => !named.has(folder))
      .sort()
      .map((folder) => `${PAGE}: the folder ${folder} has no row with a sentence about it`),
    ...rows.flatMap(([, folder = '', link, sentence = '']) => {
      if (!existsSync(join(root, folder))) return [`${PAGE}: the folder ${folder} does not exist`];
      if (link !== `../../${folder}`) return [`${PAGE}: the link of ${folder} leads elsewhere: ${link}`];
      return sentence.endsWith('.') ? [] : [`${PAGE}: the row of ${folder} has no sentence`];
    }),
  ];
}
