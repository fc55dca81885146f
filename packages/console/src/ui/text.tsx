import type { VNode } from 'preact';

const MAX = 160;
/** Control characters, and those that change the direction or the line of text. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text of strangers: short, visible, and without power over the text around it. */
export function shown(text: string, max = MAX): string {
  const visible = text
    .slice(0, max)
    .replace(UNSHOWABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return text.length > max ? `${visible}…` : visible;
}

interface TextProps {
  readonly value: string;
  readonly max?: number;
}

export function Text({ value, max = MAX }: TextProps): VNode {
  return <bdi title={value.length > max ? `${value.length} characters` : undefined}>{shown(value, max)}</bdi>;
}

/** Names of users, channels and sessions. */
export function Name({ value, max = 64 }: TextProps): VNode {
  return (
    <span class="name">
      <Text value={value} max={max} />
    </span>
  );
}

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export function count(value: number): string {
  return NUMBER.format(value);
}

export function bytes(value: number): string {
  if (value < 1_024) return `${value} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let size = value / 1_024;
  let unit = 0;
  for (; size >= 1_024 && unit < units.length - 1; unit += 1) size /= 1_024;
  return `${NUMBER.format(size)} ${units[unit]}`;
}

export function age(since: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - since) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

export function clock(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return 'never';
  return `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

export function moment(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'never' : date.toLocaleString('sv-SE');
}

export function json(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent) ?? '';
  } catch {
    return '(cannot be shown)';
  }
}
