import { createMetrics, LABELS, METRICS, type MetricDefinition, telemetryReference } from '@magpie/telemetry';
import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';

const table: readonly MetricDefinition[] = Object.values(METRICS);

describe('metrics', () => {
  it('are exposed under the names and labels of the table', async () => {
    const metrics = createMetrics();
    metrics.deliveries.inc({ route: 'r', target: 't', result: 'confirmed' }, 3);
    metrics.connectionState.set({ connection: 'floor' }, 1);
    metrics.deliverySeconds.series({ connection: 'floor' }).observe(0.004);
    metrics.commitEvents.series({}).observe(7);
    const text = await metrics.expose();
    expect(text).toContain('magpie_deliveries_total{route="r",target="t",result="confirmed"} 3');
    expect(text).toContain('magpie_connection_state{connection="floor"} 1');
    expect(text).toContain('magpie_delivery_seconds_bucket{le="0.005",connection="floor"} 1');
    expect(text).toContain('magpie_commit_events_sum 7');
    for (const { name } of table) expect(text).toContain(`# HELP ${name} `);
  });

  it('of a distribution add up from bound to bound, those beyond the last included', async () => {
    const metrics = createMetrics();
    const seconds = metrics.deliverySeconds.series({ connection: 'floor' });
    for (const value of [0.001, 0.0011, 30, 31]) seconds.observe(value);
    metrics.deliverySeconds.series({ connection: 'floor' }).observe(0.5);
    const text = await metrics.expose();
    const counts = Object.fromEntries(
      [...text.matchAll(/^magpie_delivery_seconds_bucket\{le="([^"]+)",connection="floor"\} (\d+)$/gm)].map((line) => [
        line[1],
        Number(line[2]),
      ]),
    );
    expect(counts).toMatchObject({ '0.001': 1, '0.0025': 2, '0.25': 2, '0.5': 3, '10': 3, '30': 4, '+Inf': 5 });
    expect(text).toContain('magpie_delivery_seconds_count{connection="floor"} 5');
    expect(text).toMatch(/^magpie_delivery_seconds_sum\{connection="floor"\} 61\.50/m);
    expect(text).toContain('# TYPE magpie_delivery_seconds histogram');
  });

  it('have labels that are explained once, for all of them', () => {
    const used = new Set(table.flatMap(({ labels }) => labels));
    expect([...used].toSorted()).toEqual(Object.keys(LABELS).toSorted());
  });

  it('of a distribution read as those of the Prometheus library do, whatever the labels are', async () => {
    const name = 'magpie_delivery_seconds';
    const labels = { connection: 'a "quoted" \\ name\nin two lines' };
    const registry = new Registry();
    const buckets = [...(METRICS.deliverySeconds.buckets ?? [])];
    const { help } = METRICS.deliverySeconds;
    const library = new Histogram({ name, help, labelNames: ['connection'], buckets, registers: [registry] });
    const metrics = createMetrics();
    for (const value of [0.001, 0.3, 31, 1e-9]) {
      library.observe(labels, value);
      metrics.deliverySeconds.series(labels).observe(value);
    }
    const own = (await metrics.expose()).split('\n').filter((line) => line.includes(name));
    expect(own).toEqual((await registry.metrics()).trim().split('\n'));
  });

  it('of two gateways in one process do not meet', async () => {
    const [first, second] = [createMetrics(), createMetrics()];
    first.eventsStored.inc({}, 5);
    expect(await first.expose()).toContain('magpie_events_stored_total 5');
    expect(await second.expose()).toContain('magpie_events_stored_total 0');
  });

  it('forget a target that is removed', async () => {
    const metrics = createMetrics();
    metrics.backlog.set({ target: 'r/t' }, 9);
    metrics.backlog.remove({ target: 'r/t' });
    expect(await metrics.expose()).not.toContain('target="r/t"');
  });

  it('are brought up to date before each scrape', async () => {
    const metrics = createMetrics();
    let waiting = 0;
    metrics.beforeExpose(() => metrics.backlog.set({ target: 'r/t' }, ++waiting));
    await metrics.expose();
    expect(await metrics.expose()).toContain('magpie_backlog_deliveries{target="r/t"} 2');
  });

  it('include those of the process on request', async () => {
    expect(await createMetrics({ process: true }).expose()).toContain('process_resident_memory_bytes');
    expect(await createMetrics().expose()).not.toContain('process_resident_memory_bytes');
  });

  it.each(table.map((metric) => [metric.name, metric] as const))('%s follows the naming rules', (name, metric) => {
    expect(name).toMatch(/^magpie_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(metric.type === 'counter');
    expect(metric.labels.filter((label) => /topic|address|client|jid|room|queue|user/.test(label))).toEqual([]);
    expect((metric.buckets?.length ?? 0) > 0).toBe(metric.type === 'histogram');
  });
});

describe('the reference page', () => {
  it('has a row per metric and per log field', () => {
    const page = telemetryReference();
    for (const { name, type } of table) expect(page).toContain(`| \`${name}\` | ${type} |`);
    expect(page).toContain('| `connection` | Name of the connection. |');
  });
});
