import type { VNode } from 'preact';
import { pathOf } from '../data/api.js';
import type { ChannelSummary } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { go, hrefOf, route } from '../router.js';
import { Answer, Missing, Table } from '../ui/parts.js';
import { Pager, usePages } from '../ui/pager.js';
import { SearchBox } from '../ui/search-box.js';
import { count, Name, shown } from '../ui/text.js';

interface ChannelPage {
  readonly channels: readonly ChannelSummary[];
  readonly after?: string;
  readonly missing: readonly string[];
}

const PAGE_SIZE = 50;

export function Channels(): VNode {
  const query = route.value.fields.get('q') ?? '';
  return (
    <>
      <h1>Channels</h1>
      <SearchBox
        label="Channel"
        value={query}
        hint="The beginning of a name, such as room:, in upper and lower case as it is"
        onSearch={(text) => go('channels', '', { q: text })}
      />
      <Found key={query} query={query} />
    </>
  );
}

function Found({ query }: { readonly query: string }): VNode {
  const pages = usePages();
  const poll = usePoll<ChannelPage>(pathOf(['channels'], { prefix: query, limit: PAGE_SIZE, after: pages.after }));
  const empty = (
    <>
      {query === ''
        ? 'No channel has subscribers.'
        : `No channel with subscribers begins with “${shown(query, 64)}”. Names are case-sensitive. `}
      {query.includes(':') ? <a href={hrefOf('channel', query)}>Open its history anyway</a> : null}
    </>
  );
  return (
    <>
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer poll={poll} isEmpty={({ channels }) => channels.length === 0 && pages.former.length === 0} empty={empty}>
        {({ channels }) => (
          <>
            <Table
              label="Channels"
              columns={['Channel', 'Namespace', '#Subscribers', 'By node']}
              rows={channels.map(({ channel, namespace, subscribers, nodes }) => ({
                key: channel,
                cells: [
                  <a href={hrefOf('channel', channel)}>
                    <Name value={channel} />
                  </a>,
                  namespace,
                  count(subscribers),
                  Object.entries(nodes)
                    .map(([node, own]) => `${node} ${count(own)}`)
                    .join(', '),
                ],
              }))}
            />
            <Pager of="channels" pages={pages} next={poll.data?.after} size={PAGE_SIZE} shown={channels.length} />
          </>
        )}
      </Answer>
    </>
  );
}
