import { describe, expect, test } from 'vitest';
import { forwarded, type PublicOrigin, urlOf } from '../../src/adapters/node-url.js';
import { requestOf, type Message } from './support/messages.js';

const h = { host: 'h' };
const url = (message: Message, settings: PublicOrigin = {}) => urlOf(requestOf(message), settings);

describe('the URL of a request', () => {
  test.each<[string, Message, PublicOrigin, string | undefined]>([
    ['target and Host', { url: '/a/b?c#d', headers: h }, {}, 'http://h/a/b?c#d'],
    ['no target', { url: undefined, headers: h, kept: { url: undefined } }, {}, undefined],
    ['an empty target', { url: '', headers: h }, {}, undefined],
    [
      'the target before a mount path was taken off',
      { url: '/b', headers: h, kept: { originalUrl: '/a/b' } },
      {},
      'http://h/a/b',
    ],
    ['a query byte for byte', { url: "/a?'x'=%27&\"", headers: h }, {}, "http://h/a?'x'=%27&\""],
    ['a query that ends in an anchor', { url: "/a?x='#y?z", headers: h }, {}, "http://h/a?x='#y?z"],
    ['a question mark in an anchor', { url: '/a#b?c', headers: h }, {}, 'http://h/a#b?c'],
    ['a target that is not a path', { url: '*', headers: h }, {}, undefined],
    ['a target that only holds a path', { url: 'x/y', headers: h }, {}, undefined],
    ['no Host', { url: '/a' }, {}, undefined],
    ['a path byte for byte', { url: '/a/./b/../"{c}\'/%7e\\', headers: h }, {}, 'http://h/a/./b/../"{c}\'/%7e\\'],
    ['over TLS', { url: '/a', headers: h, encrypted: true }, {}, 'https://h/a'],
    ['HTTP/2, which has its host elsewhere', { url: '/a', headers: { ':authority': 'h:81' } }, {}, 'http://h:81/a'],
    ['HTTP/2 with a Host as well', { url: '/a', headers: { host: 'other', ':authority': 'h' } }, {}, 'http://h/a'],
    ['a path that begins like a host', { url: '//evil/x', headers: h }, {}, 'http://h//evil/x'],
    ['a port that is none', { url: '/a', headers: { host: 'h:123456' } }, {}, undefined],
    ['a port beyond the last', { url: '/a', headers: { host: 'h:65536' } }, {}, undefined],
    ['an absolute target names the host', { url: 'http://other:81/a?b', headers: h }, {}, 'http://other:81/a?b'],
    ['in any case', { url: 'HTTPS://Other/a', headers: h }, {}, 'https://other/a'],
    ['also without a path', { url: 'http://other', headers: h }, {}, 'http://other/'],
    ['or with a query alone', { url: 'http://other?b', headers: h }, {}, 'http://other/?b'],
    ['or with an anchor alone', { url: 'http://other#b', headers: h }, {}, 'http://other/#b'],
    ['with line breaks in it', { url: 'http://other/a\nb', headers: h }, {}, undefined],
    ['with a host that is none', { url: 'http://u:p@other/a', headers: h }, {}, undefined],
    ['with no host', { url: 'http:///a', headers: h }, {}, undefined],
    ['with something before it', { url: 'xhttp://other/a', headers: h }, {}, undefined],
    [
      'origin is believed before Host',
      { url: '/a', headers: { host: 'not valid' } },
      { origin: 'https://public' },
      'https://public/a',
    ],
    [
      'and before an absolute target',
      { url: 'http://other/a?b', headers: h },
      { origin: 'https://public' },
      'https://public/a?b',
    ],
    [
      'a trusted proxy is believed before an absolute target',
      { url: 'http://other/a', headers: { ...h, 'x-forwarded-host': 'p', 'x-forwarded-proto': 'https' } },
      { trustProxy: true },
      'https://p/a',
    ],
    [
      'also where a framework trusts it',
      { url: 'http://other/a', headers: h },
      { framework: { protocol: 'https', host: 'p' } },
      'https://p/a',
    ],
    [
      'an absolute target before the Host that a framework read',
      { url: 'http://other/a', headers: h },
      { framework: { protocol: 'https', host: 'h' } },
      'http://other/a',
    ],
    [
      'the authority before the Host that a framework read',
      { url: '/a', headers: { host: 'other', ':authority': 'h' } },
      { framework: { protocol: 'https', host: 'other' } },
      'https://h/a',
    ],
    [
      'a framework says where it is',
      { url: '/a', headers: h },
      { framework: { protocol: 'https', host: 'public' } },
      'https://public/a',
    ],
    [
      'unless the option does',
      { url: '/a', headers: h },
      { trustProxy: false, framework: { protocol: 'https', host: 'public' } },
      'http://h/a',
    ],
    [
      'or the framework does not know',
      { url: '/a', headers: h },
      { framework: { protocol: 'https', host: undefined } },
      undefined,
    ],
  ])('%s', (_what, message, settings, expected) => {
    expect(url(message, settings)).toBe(expected);
  });

  test.each(['h', 'H-1.example_x~', 'h:1', 'h:65535', '127.0.0.1:80', '[::1]', '[2001:DB8::1.2.3.4]:8080'])(
    '%s is a host',
    (host) => {
      expect(url({ headers: { host } })).toBe(new URL(`http://${host}`).href);
    },
  );

  test.each([
    '',
    ' h',
    'h ',
    'h:',
    'h:x',
    'a@b',
    'a/b',
    'a,b',
    'a?b',
    'a#b',
    '[::1',
    '::1]',
    '[g::]',
    '[]',
    '[::1]x',
    'x[::1]',
    'h:80x',
  ])('%j is refused', (host) => {
    expect(url({ headers: { host } })).toBeUndefined();
  });

  test.each<[boolean | undefined, Record<string, string>, string | undefined]>([
    [true, { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'p:8443' }, 'https://p:8443/'],
    [true, { 'x-forwarded-proto': 'HTTPS, http', 'x-forwarded-host': ' p , q' }, 'https://p/'],
    [true, { 'x-forwarded-proto': 'gopher' }, 'http://h/'],
    [true, { 'x-forwarded-proto': '', 'x-forwarded-host': ',q' }, 'http://h/'],
    [true, { 'x-forwarded-host': 'a/b' }, undefined],
    [false, { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'p' }, 'http://h/'],
    [undefined, { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'p' }, 'http://h/'],
  ])('trustProxy %s, %j', (trustProxy, headers, expected) => {
    expect(url({ headers: { ...h, ...headers } }, { trustProxy })).toBe(expected);
  });

  test('a trusted proxy may announce http for an encrypted request', () => {
    expect(url({ headers: { ...h, 'x-forwarded-proto': 'http' }, encrypted: true }, { trustProxy: true })).toBe('http://h/');
  });

  test('a header that came more than once has no first value', () => {
    expect(forwarded(requestOf({ headers: { 'x-forwarded-host': ['a', 'b'] } }), 'x-forwarded-host')).toBeUndefined();
    expect(forwarded(requestOf(), 'x-forwarded-host')).toBeUndefined();
  });
});
