import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';

/**
 * Runs a program under `node` from the checkout's root, with this process's input and output, and resolves with its exit
 * code. SIGINT and SIGTERM are passed on. The channel (ipc) tells the program when this process is gone, however it went.
 */
export function run(node, args, { root }) {
  return new Promise((resolve, reject) => {
    // Programs that are started by the program find this Node first, too.
    const searchPath = [path.dirname(node), path.join(root, 'node_modules/.bin'), process.env.PATH].join(
      path.delimiter,
    );
    const child = spawn(node, args, {
      cwd: root,
      env: { ...process.env, PATH: searchPath },
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    const passOn = (signal) => child.kill(signal);
    // From a terminal, Ctrl-C reaches the program twice, once directly and once from here; programs take the two as one.
    for (const signal of SIGNALS) process.on(signal, passOn);
    const finish = (settle) => {
      for (const signal of SIGNALS) process.off(signal, passOn);
      settle();
    };
    child.once('error', (error) => finish(() => reject(new Error(`cannot start ${node}: ${error.message}`))));
    child.once('exit', (code, signal) => finish(() => resolve(code ?? 128 + (constants.signals[signal] ?? 0))));
  });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs a tool to its end with its output kept back. Resolves with `{ code, output }`; code 127: it is not there. */
export function runQuietly(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (bytes) => {
      output = (output + bytes).slice(-OUTPUT_MAX);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

const OUTPUT_MAX = 16_384;
