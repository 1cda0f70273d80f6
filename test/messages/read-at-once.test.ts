import { expect, test } from 'vitest';
import { readBody } from '../../src/messages/body.js';

/** A framework's Request, which is asked for its bytes or for its stream. */
class Frameworks extends Request {
  readonly asked: string[] = [];
  finish: () => void = () => {};

  constructor(length: number) {
    super('http://h/', { method: 'POST', body: 'x'.repeat(length), headers: { 'content-length': String(length) } });
  }

  override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    this.asked.push('stream');
    return super.body;
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    this.asked.push('arrayBuffer');
    await new Promise<void>((resolve) => { this.finish = resolve; });
    return new ArrayBuffer(Number(this.headers.get('content-length')));
  }
}

const read = (request: Request): Promise<Uint8Array> => readBody(request, 1_000_000, () => {});

test('bodies of 32 KiB in all are read by the framework, which keeps every chunk; others come from their streams', async () => {
  const requests = [20_000, 20_000, 12_768, 1].map((length) => new Frameworks(length));
  const [first, second, third, fourth] = requests as [Frameworks, Frameworks, Frameworks, Frameworks];
  const reading = requests.map((request) => read(request));
  expect(requests.map(({ asked }) => asked[0])).toEqual(['arrayBuffer', 'stream', 'arrayBuffer', 'stream']);
  first.finish();
  third.finish();
  expect((await Promise.all(reading)).map(({ byteLength }) => byteLength)).toEqual([20_000, 20_000, 12_768, 1]);
  expect([second.asked, fourth.asked].flat()).not.toContain('arrayBuffer');

  const later = new Frameworks(32_768);
  const whole = read(later);
  later.finish();
  expect((await whole).byteLength).toBe(32_768);
  expect(later.asked).toEqual(['arrayBuffer']);
});
