import { createClient, type Client } from '@gatehouse/client';
import { GatehouseProvider, useChannel, useClient, useConnection, usePresence } from '@gatehouse/client/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { ChatLine, Contract } from './messages.js';

const ROOM = 'room:lobby';
type Line = ChatLine & { readonly seq?: number | undefined; readonly author: string | undefined };

const connectAs = (name: string): Client<Contract> =>
  createClient({
    url: `${location.origin}/ws`,
    token: async ({ signal }) => (await fetch(`/token?name=${encodeURIComponent(name)}`, { signal })).text(),
  });

/** All lines so far, in the order of the channel, also after lost connections. */
function useLines() {
  const client = useClient<Contract>();
  const [lines, setLines] = useState<readonly Line[]>([]);
  const room = useChannel<Contract, typeof ROOM>(ROOM, {
    load: async ({ signal }) => {
      const asked = { channel: ROOM, limit: 100, reverse: true };
      const { epoch, seq, publications } = await client.request('history', asked, { signal });
      const newest = publications.map((one) => ({ ...(one.data as ChatLine), seq: one.seq, author: one.from?.userId }));
      setLines(newest.toReversed());
      return epoch === undefined || seq === undefined ? undefined : { epoch, seq };
    },
    onMessage: ({ data, seq, from }) => setLines((all) => [...all, { ...data, seq, author: from?.userId }]),
  });
  return { lines, room };
}

function Room() {
  const { lost } = useConnection();
  const members = usePresence<Contract>(ROOM) ?? [];
  const { lines, room } = useLines();
  const [error, setError] = useState('');
  const send = (form: FormData): void => {
    const text = form.get('text') as string;
    room.publish({ text }).then(
      () => setError(''),
      ({ message }: Error) => setError(`“${text}” was not sent: ${message}`),
    );
  };
  return (
    <main>
      <header>
        <strong>Lobby</strong>
        <small>{lost ? 'no connection' : room.state}</small>
        <span>{members.map(({ userId }) => userId).join(', ')}</span>
      </header>
      <section>
        <div role="log">
          {lines.map(({ seq, author, text }) => (
            <p key={seq}>
              <b>{author}</b> {text}
            </p>
          ))}
        </div>
      </section>
      <output>{error}</output>
      <form action={send}>
        <input name="text" aria-label="Message" maxLength={2_000} required autoFocus />
        <button>Send</button>
      </form>
    </main>
  );
}

function App() {
  const [client, setClient] = useState<Client<Contract>>();
  if (client) return <GatehouseProvider client={client} children={<Room />} />;
  return (
    <form action={(form) => setClient(connectAs(form.get('name') as string))}>
      <input name="name" aria-label="Name" placeholder="Your name" maxLength={40} required autoFocus />
      <button>Join</button>
    </form>
  );
}

createRoot(document.querySelector('#root') as Element).render(<StrictMode children={<App />} />);
