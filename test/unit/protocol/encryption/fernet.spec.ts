import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Fernet } from '../../../../src/protocol/encryption/fernet.js';
import { KEY, OTHER_KEY, signed, tokenOf } from '../../../support/fernet.js';
import { requireProgram } from '../../../support/require-program.js';

/** generate.json and verify.json of github.com/fernet/spec. */
const VECTOR = {
  token: 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==',
  now: Date.parse('1985-10-26T01:20:00-07:00'),
  iv: Buffer.from(Array.from({ length: 16 }, (_, index) => index)),
  src: 'hello',
  secret: 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=',
};
const MINUTE = 60_000;

/** Made by Python's `cryptography` 48.0.0 with KEY: Fernet.encrypt_at_time(…, 1767225600). */
const BY_PYTHON = [
  ['', '""', 'gAAAAABpVbkAamZA_XiBFayJF0NgNH_8bDMxm1Z8NVzX6I9eewfii910iN-NqROBaKM27tVQRzFo2J82Qdp5xVmd_CocGrtKYg=='],
  [
    'hi',
    '"hi"',
    'gAAAAABpVbkAgr3Cnj4f5B6I944GkDPWnuHboV7lt5xruDe0HUXB7b0izgVSnYNYKKWBx6eHokYhREXQq4MyY-ttrQlv5DRxiw==',
  ],
  [
    'text in UTF-8',
    '{"text": "grüß dich 🦊", "n": [1, 2.5, null, true]}',
    'gAAAAABpVbkAOwu-CpuBDE5E8r-PlyXs4zllbnnC9sl5HhD8j8n981VK-N4UE_hF-aykqN5xvBHQkrc4uEojQxpkmY3JmaIkNc0VCTsxBKQVuyZLG3prlq_IPHciYgynkmFJH3YSKj19nicVi3gaxa1FE5RxgxN9xg==',
  ],
  [
    'a block less a byte',
    `"${'x'.repeat(47)}"`,
    'gAAAAABpVbkAf3Rh6wTEVqs1boK0kQAcOZO0grUCn1XdUjjs8H5onYuaX9PSg7sgtgE26LIuKFRDXSNG8v51n8JYSjdh4wDboUUwr-_je4JRYpsUrFuMZoL1KhSZ2sKVSt6z92NW7_CTGcE7f0Jvxoy8R5_FjIl3fw==',
  ],
] as const;

describe('Fernet', () => {
  it("writes and reads the specification's own token", () => {
    const fernet = new Fernet([VECTOR.secret]);
    expect(fernet.seal(VECTOR.src, VECTOR)).toBe(VECTOR.token);
    const opened = fernet.open(VECTOR.token, MINUTE, VECTOR.now + 1_000);
    expect(opened?.plain.toString()).toBe(VECTOR.src);
    expect(opened?.sealedAt).toBe(VECTOR.now);
  });

  /** What invalid.json holds, and more. */
  it.each([
    ['nothing', ''],
    ['another signature', `${tokenOf({ plain: 'hello' }).slice(0, -6)}AAAA==`],
    ['another key', tokenOf({ plain: 'hello', key: OTHER_KEY })],
    ['another version, signed', tokenOf({ plain: 'hello', version: 0x81 })],
    ['too short', signed(Buffer.alloc(25, 0x80))],
    ['no base64url', `%%%%%%%%${tokenOf({ plain: 'hello' }).slice(8)}`],
    ['base64 that is not for URLs', tokenOf({ plain: 'hello' }).replace(/^..../, 'g+/A')],
    ['text behind the padding', `${VECTOR.token}trailingdata`],
    ['no padding of the base64', VECTOR.token.replaceAll('=', '')],
    ['part of a block', signed(Buffer.concat([Buffer.from([0x80]), Buffer.alloc(24 + 17)]))],
    ['wrong padding of the text, signed', tokenOf({ plain: Buffer.alloc(16, 0x11), isPadded: true })],
    ['from far in the future', tokenOf({ plain: 'hello', time: Date.now() / 1_000 + 120 })],
    ['from the end of time', tokenOf({ plain: 'hello', time: 2 ** 53 })],
    ['older than its time to live', tokenOf({ plain: 'hello', time: Date.now() / 1_000 - 90 })],
  ])('refuses a token that is %s', (_what, token) => {
    expect(new Fernet([KEY, VECTOR.secret]).open(token, MINUTE)).toBeUndefined();
  });

  it('refuses a token of which any bit was changed', () => {
    const fernet = new Fernet([KEY]);
    const bytes = Buffer.from(fernet.seal('attack at dawn'), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const text = changed.toString('base64url');
      expect(fernet.open(text.padEnd(Math.ceil(text.length / 4) * 4, '='))).toBeUndefined();
    }
  });

  it('takes a token of any age where there is no time to live, and up to it where there is one', () => {
    const fernet = new Fernet([VECTOR.secret]);
    expect(fernet.open(VECTOR.token)?.plain.toString()).toBe('hello');
    expect(fernet.open(VECTOR.token, MINUTE, VECTOR.now + MINUTE + 999)).toBeDefined();
    expect(fernet.open(VECTOR.token, MINUTE, VECTOR.now + MINUTE + 1_000)).toBeUndefined();
    expect(fernet.open(VECTOR.token, MINUTE, VECTOR.now - MINUTE)).toBeDefined();
    expect(fernet.open(VECTOR.token, MINUTE, VECTOR.now - MINUTE - 1)).toBeUndefined();
  });

  it('encrypts with the first key and decrypts with every one', () => {
    const both = new Fernet([KEY, OTHER_KEY]);
    expect(both.open(tokenOf({ plain: 'old', key: OTHER_KEY }))?.plain.toString()).toBe('old');
    expect(new Fernet([KEY]).open(both.seal('new'))?.plain.toString()).toBe('new');
    expect(new Fernet([OTHER_KEY]).open(both.seal('new'))).toBeUndefined();
  });

  it('never makes the same token twice', () => {
    const fernet = new Fernet([KEY]);
    expect(new Set(Array.from({ length: 100 }, () => fernet.seal('same'))).size).toBe(100);
  });

  it.each([0, 1, 15, 16, 17, 1_000_000])('brings %i bytes through', (length) => {
    const fernet = new Fernet([KEY]);
    const plain = Buffer.alloc(length, 0xfe);
    expect(fernet.open(fernet.seal(plain))?.plain.equals(plain)).toBe(true);
  });
});

describe("Python's cryptography", () => {
  it.each(BY_PYTHON)('has made a token that is read: %s', (_what, plain, token) => {
    expect(new Fernet([KEY]).open(token)?.plain.toString()).toBe(plain);
  });

  it('reads our tokens, and we read what it makes of them', { tags: ['python'] }, () => {
    const fernet = new Fernet([KEY]);
    const plains = ['', 'hi', 'grüß dich 🦊', 'x'.repeat(10_000)];
    const program = [
      'import sys',
      'from cryptography.fernet import Fernet',
      'fernet = Fernet(sys.argv[1])',
      'for line in sys.stdin: print(fernet.encrypt(b"again " + fernet.decrypt(line.strip().encode(), ttl=60)).decode())',
    ].join('\n');
    const input = plains.map((plain) => fernet.seal(plain)).join('\n');
    const { stdout, stderr } = spawnSync(requireProgram('python'), ['-c', program, KEY], { input, encoding: 'utf8' });
    expect(stderr).toBe('');
    const answers = stdout.trim().split('\n');
    expect(answers.map((token) => fernet.open(token, MINUTE)?.plain.toString())).toEqual(
      plains.map((plain) => `again ${plain}`),
    );
  });
});
