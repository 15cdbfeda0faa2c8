import type { EventLog } from '@magpie/bus';
import { type MagpieError, nullLogger, type ReceivedEvent, Rejected, Throttled, Unknown } from '@magpie/contract';
import { createGateway, type Gateway, nullObserver } from '../../../src/index.ts';
import { Oracle } from '../oracle/oracle.ts';
import { book, consumerOf, planFor, TARGETS, type TargetConfig, type TargetName, type Wanted } from '../plan.ts';
import type { Step } from '../steps.ts';
import { Disk } from './disk.ts';
import { type Link, type LinkWatcher, scriptedAdapter } from './links.ts';
import { ERRORS, isPoison, LIMITS, LONG_MS, message, poisonFor, REASONS, type Store } from './scenery.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A gateway over crashes and restarts, with everything around it, and an oracle that watches. */
export class World {
  readonly oracle: Oracle;
  readonly time: VirtualTime;
  readonly #store: Store;
  readonly #adapter: ReturnType<typeof scriptedAdapter>;
  #wanted: Wanted;
  #disk!: Disk;
  #gateway!: Gateway;
  #reloading = false;
  /** Targets that are coming and had never been there when they began to. */
  readonly #fresh = new Set<TargetName>();
  #pending = 0;
  #published = 0;
  readonly #messages: ReceivedEvent[] = [];

  constructor(
    store: Store,
    wanted: Wanted,
    time: VirtualTime,
    garble?: (answer: MagpieError | undefined) => MagpieError | undefined,
  ) {
    this.#store = store;
    this.#wanted = wanted;
    this.time = time;
    this.oracle = new Oracle(TARGETS.map(consumerOf), time.now);
    const watcher: LinkWatcher = {
      sent: (connection, { ref, body }, unanswered) => {
        if (connection === 'left') return false;
        const others = unanswered.map(({ event }) => event.ref);
        this.oracle.sent(`${connection}/t`, ref, others);
        return isPoison(body, connection);
      },
      lostAlone: (connection, { ref }) => this.oracle.lostAlone(`${connection}/t`, ref),
    };
    this.#adapter = scriptedAdapter(watcher, garble);
  }

  get gateway(): Gateway {
    return this.#gateway;
  }

  get disk(): Disk {
    return this.#disk;
  }

  /** Senders that wait, reloads and operations under way. */
  get pending(): number {
    return this.#pending;
  }

  link(name: TargetName): Link {
    return this.#adapter.link(name);
  }

  async start(): Promise<void> {
    for (const name of TARGETS) this.oracle.configured(consumerOf(name), this.#wanted[name]);
    await this.#run(await this.#store.open());
  }

  /** Publishes messages; the sender gets an answer once they are safe, or never. The link of `poison` ends at each of them. */
  publish({ key, count, ttl, size, poison }: Extract<Step, { act: 'publish' }>): void {
    const now = this.time.now();
    const label = (): string => `m${this.#published++}${poison ? poisonFor(poison) : ''}`;
    const batch = Array.from({ length: count }, () => message(label(), `k${key}`, { ttl, size, now }));
    this.#messages.push(...batch);
    this.#hand(batch);
  }

  /** A sender that is not sure sends a message once more. */
  repeat(pick: number): void {
    const message = this.#messages[this.#messages.length - 1 - (pick % Math.max(1, this.#messages.length))];
    if (message) this.#hand([message]);
  }

  /** Answers sends that are open. */
  answer(name: TargetName, pick: number, count: number, error?: number): void {
    const { open } = this.link(name);
    for (let left = Math.min(count, open.length); left > 0; left--) {
      const send = open[pick % open.length];
      if (!send) return;
      const failure = error === undefined ? undefined : ERRORS[error % ERRORS.length]!();
      const outage = failure instanceof Unknown || failure instanceof Throttled;
      const result = failure ? (outage ? 'outage' : 'refused') : 'confirmed';
      this.oracle.answered(consumerOf(name), send.event.ref, result);
      send.answer(failure);
    }
  }

  setLink(name: TargetName, up: boolean): void {
    const link = this.link(name);
    link.reachable = up;
    if (!up) link.lose();
  }

  /** A place of a target refuses what is sent to it, or takes it again. */
  setPlace(name: TargetName, key: string, takes: boolean): void {
    const { closed } = this.link(name);
    if (takes) closed.delete(`${name}/${key}`);
    else {
      closed.add(`${name}/${key}`);
      this.oracle.placeClosed(consumerOf(name), key);
    }
  }

  /** All places take messages. */
  openPlaces(): void {
    for (const name of TARGETS) this.link(name).closed.clear();
  }

  async wait(ms: number): Promise<void> {
    const settle = (): Promise<void> => this.quiet();
    await (ms > LONG_MS ? this.time.jump(ms, settle) : this.time.advance(ms, settle));
    await this.quiet();
    // What has waited for a removed target for more than a day need not be kept.
    for (const name of TARGETS) if (!this.#wanted[name]) this.oracle.absent(consumerOf(name));
  }

  /** Until nothing happens without time, an answer or the disk. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 3; calm = this.#disk.busy ? 0 : calm + 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The process is gone, with everything that was not written. */
  async crash(written: number): Promise<void> {
    await this.#disk.cut(written);
    this.#end();
    await this.#run(await this.#store.reopenAfterCrash());
  }

  /** An ordered end and a new process; what is in flight may be answered meanwhile. */
  async restart(answering: boolean): Promise<void> {
    this.#disk.release();
    await this.quiet();
    let drained = false;
    void this.#gateway.drain(new AbortController().signal).then(() => {
      drained = true;
    });
    for (let turn = 0; !drained && turn < 2000; turn++) {
      if (answering) for (const name of TARGETS) this.answer(name, 0, 8);
      await this.wait(10);
    }
    if (!drained) this.oracle.faults.push('the gateway does not come to an end');
    await this.#disk.cut(0);
    this.#end();
    await this.#run(await this.#store.reopen());
  }

  /** Tries a dead letter again, or drops it. */
  async handle(pick: number, how: 'retry' | 'edit' | 'drop'): Promise<void> {
    const letters = await this.#gateway.deadLetters.list({ limit: 10 });
    const letter = letters[pick % Math.max(1, letters.length)];
    if (!letter) return;
    const { deadLetters } = this.#gateway;
    const edit = { text: `${Buffer.from(letter.event.body).toString()} edited` };
    if (how === 'drop') this.#track(deadLetters.drop(letter.id));
    else this.#track(deadLetters.retry(letter.id, how === 'edit' ? edit : undefined));
    await this.quiet();
  }

  async handleAll(name: TargetName, reason: number, how: 'retry' | 'drop'): Promise<void> {
    const { deadLetters } = this.#gateway;
    const wanted = REASONS[reason % REASONS.length];
    const query = { consumer: consumerOf(name), ...(wanted ? { reason: wanted } : {}) };
    this.#track(how === 'retry' ? deadLetters.retryAll(query, 200) : deadLetters.dropAll(query));
    await this.quiet();
  }

  /** Changes a target, removes it or brings it back; does nothing while a reload is under way. */
  async reload(name: TargetName, config: TargetConfig | undefined): Promise<void> {
    await this.quiet();
    if (this.#reloading) return;
    const before = this.#wanted[name];
    this.#wanted = { ...this.#wanted, [name]: config };
    const consumer = consumerOf(name);
    const comesOrGoes = (before === undefined) !== (config === undefined);
    if (comesOrGoes) this.oracle.changing(consumer);
    this.oracle.configured(consumer, config);
    this.#reloading = true;
    this.#noteFresh(name);
    const done = this.#gateway.reload(planFor(this.#wanted, this.#adapter.adapter)).then(async () => {
      if (comesOrGoes) await this.#arrived(name);
      this.#reloading = false;
    });
    this.#track(done);
    await this.quiet();
  }

  /** Removes from the log what no consumer needs. */
  async retain(maxBytes: number): Promise<void> {
    const { log } = this.#disk;
    if (this.#reloading) return;
    await log.retain({ maxAge: 86_400_000, maxBytes, floor: await log.lowestFloor() });
    this.oracle.retained((await log.stats()).oldest);
    this.oracle.letters((await log.deadLetters({ limit: 10_000 })).map(({ id }) => id));
  }

  /** Ends the run: no process is left. */
  async close(): Promise<void> {
    await this.#disk.cut(0);
    this.#end();
    await this.#store.close();
  }

  async #run(store: EventLog): Promise<void> {
    const life = ++this.oracle.life;
    for (const name of TARGETS) this.#noteFresh(name);
    this.#disk = new Disk(store, this.oracle.committed);
    this.#gateway = createGateway({
      id: 'model',
      version: '0',
      log: this.#disk.log,
      book,
      ...planFor(this.#wanted, this.#adapter.adapter),
      builtins: new Set(),
      maxBodyBytes: 1024,
      logger: nullLogger,
      observer: nullObserver,
      clock: this.time,
      limits: LIMITS,
      onFatal: (error) => {
        if (life === this.oracle.life) this.oracle.faults.push(`fatal: ${error.stack}`);
      },
    });
    await this.#gateway.start();
    for (const name of TARGETS) {
      if (!this.oracle.isOn(consumerOf(name)) || !this.#wanted[name]) await this.#arrived(name);
    }
    await this.quiet();
  }

  /** A target was added or removed. */
  async #arrived(name: TargetName): Promise<void> {
    const config = this.#wanted[name];
    const isFresh = this.#fresh.delete(name);
    const fromStart = config?.start === 'earliest' && isFresh;
    const oldest = fromStart ? (await this.#disk.log.stats()).oldest : undefined;
    this.oracle.changed(consumerOf(name), config !== undefined, fromStart ? { oldest } : undefined);
  }

  #noteFresh(name: TargetName): void {
    if (this.#wanted[name] && !this.oracle.isKnown(consumerOf(name))) this.#fresh.add(name);
  }

  /** Nothing of the present process has any effect from now on. */
  #end(): void {
    for (const name of ['left', ...TARGETS] as const) this.#adapter.link(name).forget();
    this.time.clear();
    this.oracle.ended();
    if (this.#reloading)
      for (const name of TARGETS) if (!this.#wanted[name]) this.oracle.forgetUnmatched(consumerOf(name));
    this.#reloading = false;
    this.#pending = 0;
  }

  #hand(batch: readonly ReceivedEvent[]): void {
    const { life } = this.oracle;
    const { sink } = this.#adapter.link('left');
    if (!sink) return;
    const told = sink(batch).then((verdicts) => {
      if (life !== this.oracle.life) return;
      verdicts.forEach(({ type }, index) => {
        const label = Buffer.from(batch[index]!.body).toString().trim();
        if (type === 'stored' || type === 'duplicate') this.oracle.acknowledged(label);
        else this.oracle.faults.push(`${label} came to ${type}`);
      });
    });
    this.#track(told);
  }

  /** Work of the present process; what it refuses to do is no fault. */
  #track(work: Promise<unknown>): void {
    const { life } = this.oracle;
    this.#pending++;
    work
      .catch((error: unknown) => {
        if (!(error instanceof Rejected) && life === this.oracle.life) this.oracle.faults.push(`failed: ${error}`);
      })
      .finally(() => {
        if (life === this.oracle.life) this.#pending--;
      });
  }
}
