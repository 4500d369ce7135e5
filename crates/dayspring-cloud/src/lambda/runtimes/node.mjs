// Runs a handler `file.export` against the Runtime API where aws-lambda-ric is not installed.

import { existsSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, where, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const options = { host, port, agent, method, path: `/2018-06-01/runtime${where}`, headers };
    const request = http.request(options, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function problemOf(error, kind) {
  const isError = error instanceof Error;
  return {
    errorType: kind ?? (isError ? error.name : typeof error),
    errorMessage: isError ? error.message : String(error),
    trace: isError ? (error.stack ?? '').split('\n') : [],
  };
}

async function fail(where, problem) {
  console.error(JSON.stringify(problem));
  await call('POST', where, JSON.stringify(problem), { 'Lambda-Runtime-Function-Error-Type': problem.errorType });
}

async function load(name) {
  const root = process.env.LAMBDA_TASK_ROOT;
  const folder = path.dirname(name);
  const [file, ...exported] = path.basename(name).split('.');
  if (exported.length === 0) {
    throw Object.assign(new Error('Bad handler'), { kind: 'Runtime.MalformedHandlerName' });
  }
  const found = ['.js', '.mjs', '.cjs'].map((end) => path.resolve(root, folder, file + end)).find((one) => existsSync(one));
  if (!found) {
    const message = `Error: Cannot find module '${path.join(folder, file)}'`;
    throw Object.assign(new Error(message), { kind: 'Runtime.ImportModuleError' });
  }
  const module = await import(pathToFileURL(found).href);
  const get = (from) => exported.reduce((value, key) => value?.[key], from);
  const handler = get(module) ?? get(module.default);
  if (typeof handler !== 'function') {
    throw Object.assign(new Error(`${name} is undefined or not exported`), { kind: 'Runtime.HandlerNotFound' });
  }
  return handler;
}

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    clientContext: headers['lambda-runtime-client-context'] && JSON.parse(headers['lambda-runtime-client-context']),
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    const returned = handler(event, context, (error, value) => (error ? reject(error) : resolve(value)));
    if (typeof returned?.then === 'function') {
      returned.then(resolve, reject);
    } else if (handler.length < 3) {
      resolve(returned);
    }
  });
}

let handler;
try {
  handler = await load(process.env._HANDLER);
} catch (error) {
  await fail('/init/error', problemOf(error, error.kind));
  process.exit(1);
}
for (;;) {
  const next = await call('GET', '/invocation/next');
  const context = contextOf(next.headers);
  process.env._X_AMZN_TRACE_ID = next.headers['lambda-runtime-trace-id'] ?? '';
  const where = `/invocation/${context.awsRequestId}`;
  try {
    const answer = await run(handler, JSON.parse(next.body), context);
    await call('POST', `${where}/response`, JSON.stringify(answer ?? null));
  } catch (error) {
    await fail(`${where}/error`, problemOf(error));
  }
}
