import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';

const { version } = createRequire(import.meta.url)('socket.io/package.json');
const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => {
  socket.on('echo', (data) => socket.emit('echo_reply', data));
  socket.on('broadcast', (data) => io.emit('broadcast', data));
});
http.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`ready socket.io ${version}`));
