import { computed, signal } from '@preact/signals';

/** What stands behind the # of the address: a page, its subject, and its fields. */
export interface Route {
  readonly page: string;
  readonly subject: string;
  readonly fields: URLSearchParams;
}

const hash = signal(location.hash);
addEventListener('hashchange', () => (hash.value = location.hash));

export const route = computed((): Route => {
  const [path = '', search = ''] = hash.value.replace(/^#\/?/, '').split('?', 2);
  const [page = '', subject = ''] = path.split('/', 2);
  return { page: page === '' ? 'overview' : page, subject: decoded(subject), fields: new URLSearchParams(search) };
});

/** The address of a page. The subject may contain anything. */
export function hrefOf(page: string, subject = '', fields: Readonly<Record<string, string>> = {}): string {
  const given = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== ''));
  const path = subject === '' ? page : `${page}/${encodeURIComponent(subject)}`;
  return given.size === 0 ? `#/${path}` : `#/${path}?${given}`;
}

export function go(page: string, subject?: string, fields?: Readonly<Record<string, string>>): void {
  location.hash = hrefOf(page, subject, fields);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
