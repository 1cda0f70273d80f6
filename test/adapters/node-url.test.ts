import { describe, expect, test } from 'vitest';
import { forwarded, type PublicOrigin, urlOf } from '../../src/adapters/node-url.js';
import { requestOf, type Message } from './support/messages.js';

const h = { host: 'h' };
const url = (message: Message, settings: PublicOrigin = {}) => urlOf(requestOf(message), settings);

describe('the URL of a request', () => {
  test.each<{ what: string; message: Message; settings?: PublicOrigin; expected: string | undefined }>([
    { what: 'target and Host', message: { url: '/a/b?c#d', headers: h }, expected: 'http://h/a/b?c#d' },
    { what: 'no target', message: { url: undefined, headers: h, kept: { url: undefined } }, expected: undefined },
    { what: 'an empty target', message: { url: '', headers: h }, expected: undefined },
    {
      what: 'the target before a mount path was taken off',
      message: { url: '/b', headers: h, kept: { originalUrl: '/a/b' } },
      expected: 'http://h/a/b',
    },
    { what: 'a query byte for byte', message: { url: "/a?'x'=%27&\"", headers: h }, expected: "http://h/a?'x'=%27&\"" },
    { what: 'a query that ends in an anchor', message: { url: "/a?x='#y?z", headers: h }, expected: "http://h/a?x='#y?z" },
    { what: 'a question mark in an anchor', message: { url: '/a#b?c', headers: h }, expected: 'http://h/a#b?c' },
    { what: 'a target that is not a path', message: { url: '*', headers: h }, expected: undefined },
    { what: 'a target that only holds a path', message: { url: 'x/y', headers: h }, expected: undefined },
    { what: 'no Host', message: { url: '/a' }, expected: undefined },
    {
      what: 'a path byte for byte',
      message: { url: '/a/./b/../"{c}\'/%7e\\', headers: h },
      expected: 'http://h/a/./b/../"{c}\'/%7e\\',
    },
    { what: 'over TLS', message: { url: '/a', headers: h, encrypted: true }, expected: 'https://h/a' },
    {
      what: 'HTTP/2, which has its host elsewhere',
      message: { url: '/a', headers: { ':authority': 'h:81' } },
      expected: 'http://h:81/a',
    },
    {
      what: 'HTTP/2 with a Host as well',
      message: { url: '/a', headers: { host: 'other', ':authority': 'h' } },
      expected: 'http://h/a',
    },
    { what: 'a path that begins like a host', message: { url: '//evil/x', headers: h }, expected: 'http://h//evil/x' },
    { what: 'a port that is none', message: { url: '/a', headers: { host: 'h:123456' } }, expected: undefined },
    { what: 'a port beyond the last', message: { url: '/a', headers: { host: 'h:65536' } }, expected: undefined },
    {
      what: 'an absolute target names the host',
      message: { url: 'http://other:81/a?b', headers: h },
      expected: 'http://other:81/a?b',
    },
    { what: 'in any case', message: { url: 'HTTPS://Other/a', headers: h }, expected: 'https://other/a' },
    { what: 'also without a path', message: { url: 'http://other', headers: h }, expected: 'http://other/' },
    { what: 'or with a query alone', message: { url: 'http://other?b', headers: h }, expected: 'http://other/?b' },
    { what: 'or with an anchor alone', message: { url: 'http://other#b', headers: h }, expected: 'http://other/#b' },
    { what: 'with line breaks in it', message: { url: 'http://other/a\nb', headers: h }, expected: undefined },
    { what: 'with a host that is none', message: { url: 'http://u:p@other/a', headers: h }, expected: undefined },
    { what: 'with no host', message: { url: 'http:///a', headers: h }, expected: undefined },
    { what: 'with something before it', message: { url: 'xhttp://other/a', headers: h }, expected: undefined },
    {
      what: 'origin is believed before Host',
      message: { url: '/a', headers: { host: 'not valid' } },
      settings: { origin: 'https://public' },
      expected: 'https://public/a',
    },
    {
      what: 'and before an absolute target',
      message: { url: 'http://other/a?b', headers: h },
      settings: { origin: 'https://public' },
      expected: 'https://public/a?b',
    },
    {
      what: 'a trusted proxy is believed before an absolute target',
      message: { url: 'http://other/a', headers: { ...h, 'x-forwarded-host': 'p', 'x-forwarded-proto': 'https' } },
      settings: { trustProxy: true },
      expected: 'https://p/a',
    },
    {
      what: 'also where a framework trusts it',
      message: { url: 'http://other/a', headers: h },
      settings: { framework: { protocol: 'https', host: 'p' } },
      expected: 'https://p/a',
    },
    {
      what: 'an absolute target before the Host that a framework read',
      message: { url: 'http://other/a', headers: h },
      settings: { framework: { protocol: 'https', host: 'h' } },
      expected: 'http://other/a',
    },
    {
      what: 'the Host that a framework read, if one of its proxies has sent it',
      message: { url: 'http://other/a', headers: { ...h, 'x-forwarded-host': 'p , h' } },
      settings: { framework: { protocol: 'https', host: 'h' } },
      expected: 'https://h/a',
    },
    {
      what: 'the protocol that a framework read, if one of its proxies has sent it',
      message: { url: 'http://other/a', headers: { ...h, 'x-forwarded-proto': 'http , https' } },
      settings: { framework: { protocol: 'https', host: 'h' } },
      expected: 'https://other/a',
    },
    {
      what: 'the authority that a framework read',
      message: { url: '/a', headers: { ':authority': 'h' } },
      settings: { framework: { protocol: 'https', host: 'h' } },
      expected: 'https://h/a',
    },
    {
      what: 'the authority before the Host that a framework read',
      message: { url: '/a', headers: { host: 'other', ':authority': 'h' } },
      settings: { framework: { protocol: 'https', host: 'other' } },
      expected: 'https://h/a',
    },
    {
      what: 'a framework says where it is',
      message: { url: '/a', headers: h },
      settings: { framework: { protocol: 'https', host: 'public' } },
      expected: 'https://public/a',
    },
    {
      what: 'unless the option does',
      message: { url: '/a', headers: h },
      settings: { trustProxy: false, framework: { protocol: 'https', host: 'public' } },
      expected: 'http://h/a',
    },
    {
      what: 'or the framework does not know',
      message: { url: '/a', headers: h },
      settings: { framework: { protocol: 'https', host: undefined } },
      expected: undefined,
    },
    {
      what: 'or neither the framework nor Host does',
      message: { url: 'http://other/a' },
      settings: { framework: { protocol: 'https', host: undefined } },
      expected: undefined,
    },
  ])('$what', ({ message, settings, expected }) => {
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

  test.each<{ trustProxy: boolean | undefined; headers: Record<string, string>; expected: string | undefined }>([
    { trustProxy: true, headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'p:8443' }, expected: 'https://p:8443/' },
    { trustProxy: true, headers: { 'x-forwarded-proto': 'HTTPS, http', 'x-forwarded-host': ' p , q' }, expected: 'https://p/' },
    { trustProxy: true, headers: { 'x-forwarded-proto': 'gopher' }, expected: 'http://h/' },
    { trustProxy: true, headers: { 'x-forwarded-proto': '', 'x-forwarded-host': ',q' }, expected: 'http://h/' },
    { trustProxy: true, headers: { 'x-forwarded-host': 'a/b' }, expected: undefined },
    { trustProxy: false, headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'p' }, expected: 'http://h/' },
    { trustProxy: undefined, headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'p' }, expected: 'http://h/' },
  ])('trustProxy $trustProxy, $headers', ({ trustProxy, headers, expected }) => {
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
