import { build } from 'esbuild';
import { SignJWT } from 'jose';
import { fileURLToPath } from 'node:url';
import { createServer, type LogLevel, type Plugin, type ViteDevServer } from 'vite';

const packages = fileURLToPath(new URL('../packages', import.meta.url));
const root = fileURLToPath(new URL('../examples/react-chat', import.meta.url));

/** Compiles the messages of the chat, for FEATURES_FILE. */
export async function compileChatFeatures(outfile: string): Promise<void> {
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
  await build({ entryPoints: [`${root}/server.ts`], outfile, format: 'esm', tsconfigRaw });
}

interface ChatSetup {
  /** `http://127.0.0.1:8080` */
  readonly server: string;
  /** The JWT_SECRET of the server. */
  readonly secret: string;
  /** 0: any that is free. Default: 5173, or one after it. */
  readonly port?: number;
  readonly logLevel?: LogLevel;
}

/** Serves examples/react-chat with Vite: the page, its tokens, and the server behind the same origin. */
export async function openChatSite({
  server,
  secret,
  port = 5_173,
  logLevel = 'info',
}: ChatSetup): Promise<ViteDevServer> {
  const site = await createServer({
    configFile: false,
    root,
    logLevel,
    cacheDir: fileURLToPath(new URL('../.cache/vite', import.meta.url)),
    // As in the tests of this repository: its packages are their sources, which need no build.
    resolve: {
      alias: [
        { find: /^@gatehouse\/client$/, replacement: `${packages}/client/src/index.ts` },
        { find: /^@gatehouse\/client\/react$/, replacement: `${packages}/client/src/react.ts` },
        { find: /^@gatehouse\/protocol$/, replacement: `${packages}/protocol/src/protocol.ts` },
      ],
    },
    server: { port, proxy: { '/ws': { target: server, ws: true }, '/route': server } },
    plugins: [tokens(new TextEncoder().encode(secret))],
  });
  return site.listen();
}

/** Signs in whoever asks. A real application asks for a password before. */
function tokens(secret: Uint8Array): Plugin {
  return {
    name: 'tokens',
    configureServer({ middlewares }) {
      middlewares.use('/token', (request, response) => {
        const name = new URL(request.url ?? '', 'http://site').searchParams.get('name') ?? '';
        new SignJWT()
          .setProtectedHeader({ alg: 'HS256' })
          .setSubject(name)
          .setIssuedAt()
          .setExpirationTime('1h')
          .sign(secret)
          .then(
            (token) => response.end(token),
            () => response.writeHead(500).end(),
          );
      });
    },
  };
}
