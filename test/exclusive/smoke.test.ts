import { describe, expect, it } from 'vitest';
import { Cluster } from './support/cluster.js';

describe('smoke', () => {
  it('works', async () => {
    const cluster = new Cluster(10);
    const a = await cluster.started();
    expect(a.owned).toHaveLength(10);
    const b = await cluster.started();
    await cluster.clock.advance(10_000);
    console.log(a.owned, b.owned, a.runner.snapshot(), a.events, b.calls.join(' '));
    await cluster.close();
    console.log(cluster.clock.pendingTimers);
  });
});
