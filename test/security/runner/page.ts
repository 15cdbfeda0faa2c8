import type { AttackFigures } from './figures.ts';
import { HARM, type SecurityRun, totalsOf } from './record.ts';

/** The page of the documentation about attacks, made from the recorded runs; the last one is shown attack by attack. */
export function securityPage(runs: readonly SecurityRun[]): string {
  const last = runs.at(-1);
  return `# Security, tested

<!-- Generated from apps/docs/security/runs by infra/checks/docs.ts; do not edit. -->

No message, peer, stranger or mistake may stop the gateway, cut what it has acknowledged, make it believe a lie or fill its
memory. The tests in [test/security](../../test/security) try: each attacks a gateway in a process of its own, with raw
sockets, foreign clients, or servers that do what no server should. Meanwhile a good client publishes a message every 100 ms over a new
socket, and somebody asks for health five times a second.

## What is counted

- **Inputs** are the messages, sockets, requests or protocol elements that an attack is made of.
- **Crashes** must be 0: the process ended, other than an attack on its own files asks for.
- **Hangs** must be 0: health was not answered within 8 s.
- **Leaks** must be 0: files and sockets not given back 20 s after the attack.
- **Lost** must be 0: messages of the good client that were acknowledged and are not in the log.
- **Refused** must be 0: messages of the good client that were not taken.
- **Memory** is the most that the process had resident, and in brackets what of it the attack added; each test has a bound.

${last === undefined ? 'No run is recorded yet.' : `## The last run\n\n${runSection(last)}\n\n${attackTable(last.attacks)}`}
${runs.length < 2 ? '' : `\n## Earlier runs\n\n${earlierTable(runs.slice(0, -1).reverse())}\n`}
## Repeating it

\`\`\`sh
npm test                          # the short form, with everything else
npm run security                  # the long form: the same attacks with more of everything, some minutes
npm run security -- --only hostile --record
\`\`\`
`;
}

const number = (value: number): string => value.toLocaleString('en-US');

function runSection(run: SecurityRun): string {
  const { machine, versions, failures, date, minutes, form } = run;
  const totals = totalsOf(run);
  const magpie = `Magpie ${versions.magpie}${versions.commit === undefined ? '' : ` (${versions.commit})`}`;
  return [
    `- ${date.slice(0, 10)}, ${form} form, ${minutes} min: **${number(totals.inputs)} inputs** in ${totals.attacks} attacks`,
    `- ${HARM.map((harm) => `${number(totals[harm])} ${NAMES[harm].toLowerCase()}`).join(', ')}; most memory ${number(totals.peak)} MB`,
    `- ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.kernel}`,
    `- ${magpie}, Node ${versions.node}, Mosquitto ${versions.mosquitto}, RabbitMQ ${versions.rabbitmq}, Prosody ${versions.prosody}`,
    ...(failures.length === 0
      ? ['- no test failed']
      : failures.map(({ file, test, message }) => `- **failed**: \`${file}\`: ${test}: \`${message}\``)),
  ].join('\n');
}

const NAMES = { crashes: 'Crashes', hangs: 'Hangs', leaks: 'Leaks', losses: 'Lost', refusals: 'Refused' } as const;

function attackTable(attacks: readonly AttackFigures[]): string {
  const rows = attacks.map((attack) => [
    attack.attack.replaceAll(' > ', ': ').replaceAll('|', '\\|'),
    number(attack.inputs),
    ...HARM.map((harm) => number(attack[harm])),
    `${number(attack.peak)} MB (+${number(attack.growth)})`,
  ]);
  const head = ['Attack', 'Inputs', ...HARM.map((harm) => NAMES[harm]), 'Memory'];
  return [head, ['---', ...Array(7).fill('--:')], ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function earlierTable(runs: readonly SecurityRun[]): string {
  const rows = runs.map((run) => {
    const totals = totalsOf(run);
    const when = `${run.date.slice(0, 10)}, ${run.form}`;
    return [
      when,
      number(totals.attacks),
      number(totals.inputs),
      ...HARM.map((harm) => number(totals[harm])),
      `${number(totals.peak)} MB`,
    ];
  });
  const head = ['Run', 'Attacks', 'Inputs', ...HARM.map((harm) => NAMES[harm]), 'Most memory'];
  return [head, ['---', ...Array(8).fill('--:')], ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
