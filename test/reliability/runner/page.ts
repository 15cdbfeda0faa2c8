import { counted, type FaultOverPaths, overPaths, type RunRecord } from './record.ts';
import type { Counted } from './results.ts';

/** How often each of the two hardest faults is to have happened over all recorded runs. */
const GOAL = { kills: 10_000, images: 1000 } as const;

/** The page of the documentation about the long form, made from all recorded runs. */
export function reliabilityPage(runs: readonly RunRecord[]): string {
  return `# Reliability, measured

<!-- Generated from apps/docs/reliability/runs by infra/checks/docs.ts; do not edit. -->

Acknowledged means on disk: once the gateway has acknowledged a message, no crash, power cut or broker outage loses it. The
tests in [test/reliability](../../test/reliability/README.md) try to prove that wrong, and this page shows what came of it.

Real brokers and a gateway in a process of its own carry messages on several paths at once while something breaks. Clients
outside the gateway write down what was acknowledged to them and what arrived at the other end. When everything has calmed
down, each path must have delivered every acknowledged message at least once, and the first deliveries of each key in the
order of sending.

## So far

${progress(runs)}

${faultTable(overPaths(runs))}

- **How often** counts the fault, not the paths that it hit.
- **Lost** must be 0: acknowledged, and never delivered. **Out of order** must be 0 as well.
- **Excused** are messages that a broker acknowledged and had not saved itself when it was killed or its queue was deleted, so
  that the gateway never saw them. No gateway can keep those; they are counted neither as acknowledged nor as lost.
- **Duplicates** are allowed: what was not confirmed when the fault came is sent again, with the same id. **Taken in twice** of
  them came twice from the source.
- **Longest recovery** is the time from the end of the fault until a message that was sent after it had arrived, behind
  everything that the source's broker had kept meanwhile. Kills and power cuts follow one another up to a hundred times before it is measured.
- **Most memory** is the largest resident memory of the gateway at the end of a trial.

## Runs

${runs.length === 0 ? 'None is recorded yet.' : runs.map(runSection).join('\n\n')}

## Repeating a run

\`\`\`sh
npm run reliability -- --kills 2000 --images 300 --seed 1    # hours; add --only <word> for some files, --record to add it here
\`\`\`

The seed decides how long the gateway runs before each kill, when a line is cut and which bytes are sent as garbage, and each
test file prints it. The same seed with the same numbers chooses the same moments again. What the machine does between two of
them is its own affair, so a failure that depends on it may need several runs of its seed. The files that are run do not
matter: each starts from the seed anew.
`;
}

const number = (value: number): string => value.toLocaleString('en-US');

function progress(runs: readonly RunRecord[]): string {
  const line = (what: Counted, name: string): string => {
    const done = counted(what, runs);
    return `- **${number(done)} of ${number(GOAL[what])}** ${name} (${Math.floor((100 * done) / GOAL[what])} %)`;
  };
  const faults = overPaths(runs);
  const sum = (key: 'acked' | 'lost' | 'disordered'): string =>
    number(faults.reduce((total, fault) => total + fault[key], 0));
  const failures = runs.reduce((total, run) => total + run.failures.length, 0);
  return `${line('kills', 'kills of a gateway under load')}
${line('images', 'power cuts of a gateway under load')}
- over ${count(runs.length, 'recorded run')}: ${sum('acked')} acknowledged messages, **${sum('lost')} lost**, ${sum('disordered')} out of order; ${count(failures, 'failed test')}`;
}

const count = (value: number, thing: string): string => `${number(value)} ${thing}${value === 1 ? '' : 's'}`;

function faultTable(faults: readonly FaultOverPaths[]): string {
  if (faults.length === 0) return 'No fault has been recorded yet.';
  const rows = faults.map((fault) =>
    [
      ...[fault.fault, number(fault.times), fault.paths.join('<br>'), number(fault.acked), number(fault.lost)],
      ...[number(fault.excused), number(fault.disordered), number(fault.duplicates), number(fault.takenInAgain)],
      ...[fault.resumed === undefined ? '–' : seconds(fault.resumed), `${number(fault.rss)} MB`],
    ].join(' | '),
  );
  return `| Fault | How often | Paths | Acknowledged | Lost | Excused | Out of order | Duplicates | Taken in twice | Longest recovery | Most memory |
|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|
${rows.map((row) => `| ${row} |`).join('\n')}`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function runSection(run: RunRecord): string {
  const { machine, versions } = run;
  const interrupted = run.state === 'ended' ? '' : run.state === 'running' ? ', not ended' : ', interrupted';
  const magpie = `Magpie ${versions.magpie}${versions.commit === undefined ? '' : ` (${versions.commit})`}`;
  const lines = [
    `${duration(run.minutes)}${interrupted}: ${count(counted('kills', [run]), 'kill')}, ${count(counted('images', [run]), 'power cut')}; ${run.files.join(', ')}`,
    ...sums(overPaths([run])),
    ...(run.findings ?? []).map(({ file, findings }) => [`\`${file}\`:`, ...findings].join('\n  - ')),
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.kernel}`,
    `${magpie}, Node ${versions.node}, Mosquitto ${versions.mosquitto}, RabbitMQ ${versions.rabbitmq}, Prosody ${versions.prosody}`,
    ...failureLines(run),
  ];
  return `### ${run.date.slice(0, 10)}, seed ${run.seed}\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

/** What a run counted over all faults; nothing when it had no row. */
function sums(faults: readonly FaultOverPaths[]): readonly string[] {
  if (faults.length === 0) return [];
  const sum = (key: 'acked' | 'lost' | 'excused' | 'duplicates' | 'disordered'): string =>
    number(faults.reduce((total, fault) => total + fault[key], 0));
  return [
    `${sum('acked')} acknowledged, ${sum('lost')} lost, ${sum('excused')} excused, ${sum('disordered')} out of order, ${sum('duplicates')} duplicates`,
  ];
}

const duration = (minutes: number): string =>
  minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;

const failureLines = ({ failures }: RunRecord): readonly string[] =>
  failures.length === 0
    ? ['no test failed']
    : failures.map(({ file, test, message }) => `**failed**: \`${file}\`: ${test}: \`${message}\``);
