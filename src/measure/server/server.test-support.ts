import type { Server } from '../../plan/plan.ts';

/** A server in Python: `handle(path)` gives status and body and may be defined anew; `serve()` serves. */
const SERVER = [
  'import os, signal, sys, threading, time',
  'from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer',
  'def handle(path): return 200, "fine"',
  'def spin(seconds):',
  '    end = time.thread_time() + seconds',
  '    while time.thread_time() < end: pass',
  'class Handler(BaseHTTPRequestHandler):',
  '    def do_GET(self):',
  '        status, body = handle(self.path)',
  '        self.send_response(status)',
  '        self.end_headers()',
  '        self.wfile.write(body.encode())',
  '    def log_message(self, *words): pass',
  'def serve(): ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()',
];
/** A load in Python: `get(path)` is the body of an answer, `report(name=value)` writes its metrics. */
const LOAD = [
  'import json, os, sys, time, urllib.request',
  'def get(path): return urllib.request.urlopen("http://127.0.0.1:{}{}".format(PORT, path)).read().decode()',
  'def report(**metrics): json.dump(metrics, open(os.environ["PACEGATE_METRICS"], "w"))',
];

const command = (port: number, base: readonly string[], lines: readonly string[]) => [
  ...['python3', '-I', '-S', '-c'],
  [`PORT = ${port}`, ...base, ...lines].join('\n'),
];
export const serverCommand = (port: number, lines: readonly string[]): readonly string[] =>
  command(port, SERVER, lines);
export const loadCommand = (port: number, lines: readonly string[]): readonly string[] =>
  command(port, LOAD, lines);

/** What makes a workload a server, with what a test changes in it. */
export const serverSettings = (port: number, change: Partial<Server> = {}): Server => ({
  ready: `http://127.0.0.1:${port}/health`,
  load: loadCommand(port, ['get("/")']),
  warmUp: 0,
  startTimeoutSeconds: 20,
  stop: 'SIGTERM',
  stopTimeoutSeconds: 5,
  ...change,
});
