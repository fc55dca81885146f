import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { pathOf } from './data/api.js';
import { hasEdges, useEdges } from './data/edges.js';
import { identity, isAdmin, canAct, signOut, token } from './data/token.js';
import { ChannelView } from './pages/channel.js';
import { Channels } from './pages/channels.js';
import { Edges } from './pages/edges.js';
import { Explain } from './pages/explain.js';
import { Messages } from './pages/messages.js';
import { Operations } from './pages/operations.js';
import { Overview } from './pages/overview.js';
import { SessionView } from './pages/session.js';
import { Sessions } from './pages/sessions.js';
import { SignIn } from './pages/sign-in.js';
import { Tap } from './pages/tap.js';
import { hrefOf, route } from './router.js';
import { AskDialog, Notice } from './ui/ask.js';
import { Name } from './ui/text.js';

interface Page {
  readonly view: () => VNode;
  /** Its name in the navigation; a page of one session or channel has none. */
  readonly title?: string;
  readonly under?: string;
  /** Whether it stands in the navigation only where there are edge nodes. */
  readonly isForEdges?: boolean;
}

const PAGES: Readonly<Record<string, Page>> = {
  overview: { title: 'Overview', view: Overview },
  sessions: { title: 'Sessions', view: Sessions },
  session: { view: SessionView, under: 'sessions' },
  channels: { title: 'Channels', view: Channels },
  channel: { view: ChannelView, under: 'channels' },
  edges: { title: 'Edges', view: Edges, isForEdges: true },
  explain: { title: 'Explain', view: Explain },
  messages: { title: 'Requests', view: Messages },
  tap: { title: 'Tap', view: Tap },
  operations: { title: 'Operations', view: Operations },
};

const EDGES_MS = 30_000;

export function App(): VNode {
  useSlashKey();
  useEdges(token.value === '' ? undefined : pathOf(['edges'], { limit: 1 }), EDGES_MS);
  if (token.value === '') return <SignIn />;
  const { page, subject } = route.value;
  const found = PAGES[page];
  const View = found?.view ?? NotFound;
  return (
    <>
      <a class="skip" href="#content" onClick={toContent}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={hrefOf('overview')}>
          Gatehouse
        </a>
        <nav aria-label="Pages">
          {Object.entries(PAGES).map(([name, { title, isForEdges = false }]) =>
            title === undefined || (isForEdges && !hasEdges.value && page !== name) ? null : (
              <a key={name} href={hrefOf(name)} aria-current={name === (found?.under ?? page) ? 'page' : undefined}>
                {title}
              </a>
            ),
          )}
        </nav>
        <div class="who">
          <Name value={identity.value.user} max={24} />
          <span class="pill plain">{isAdmin.value ? 'ADMIN' : canAct.value ? 'SERVICE' : 'read only'}</span>
          <button type="button" class="link" onClick={() => signOut()}>
            Sign out
          </button>
        </div>
      </header>
      <Notice />
      <main id="content" tabIndex={-1} key={`${page} ${subject}`}>
        <View />
      </main>
      <AskDialog />
    </>
  );
}

function NotFound(): VNode {
  return (
    <>
      <h1>No such page</h1>
      <p>
        <a href={hrefOf('overview')}>Overview</a>
      </p>
    </>
  );
}

/** The address must stay that of the page. */
function toContent(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

/** The key / goes to the search field of the page, or to that of sessions. */
function useSlashKey(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { target } = event;
      const isTyping = target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const field = document.querySelector<HTMLElement>('[data-search]');
      if (field) field.focus();
      else location.hash = hrefOf('sessions');
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
