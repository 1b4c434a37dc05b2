// A whole story told to the local server by the official Node SDK, unmodified.
//
// node story.cjs FOLDER URL SECRET: the SDK is looked for in FOLDER/node_modules. It prints the URL of its webhook, waits
// for a line, and prints one line for each answer that the SDK got: method, path, status, type and body, as JSON.
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const http = require("node:http");
const { createRequire } = require("node:module");
const { resolve } = require("node:path");

const [folder, url, secret] = process.argv.slice(2);
const { default: OpenAI, toFile } = createRequire(resolve(folder, "index.js"))("openai");

const MODEL = "gpt-4o-mini";
const GRADER = {
  type: "string_check",
  name: "exact",
  input: "{{ sample.output_text }}",
  reference: "{{ item.answer }}",
  operation: "eq",
};

function lines(count) {
  const messages = [
    { role: "user", content: "a question" },
    { role: "assistant", content: "an answer" },
  ];
  return Buffer.from((JSON.stringify({ messages }) + "\n").repeat(count));
}

async function watched(input, init) {
  const answer = await fetch(input, init);
  const body = Buffer.from(await answer.clone().arrayBuffer()).toString("base64");
  const path = String(input).slice(url.length);
  const told = [init.method.toUpperCase(), path, answer.status, answer.headers.get("content-type"), body];
  console.log(JSON.stringify(told));
  return answer;
}

const client = new OpenAI({
  apiKey: "any key",
  adminAPIKey: "any key of an administrator", // it gives no permissions without one
  baseURL: url,
  maxRetries: 0,
  webhookSecret: secret,
  fetch: watched,
});
const jobs = client.fineTuning.jobs;

async function control(path, body) {
  const target = url.replace(/\/v1$/, "/_local") + path;
  const answer = await fetch(target, { method: "POST", body: JSON.stringify(body ?? {}) });
  assert.equal(answer.status, 200);
}

async function every(pages) {
  const found = [];
  for await (const item of pages) found.push(item);
  return found;
}

const ids = (found) => found.map((each) => each.id);
const bytes = async (id) => Buffer.from(await (await client.files.content(id)).arrayBuffer());

const deliveries = [];
let arrived = () => {};
const receiver = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    deliveries.push([Buffer.concat(parts).toString(), request.headers]);
    response.end();
    arrived();
  });
});

async function told(type, job) {
  while (deliveries.length === 0) await new Promise((resolve) => (arrived = resolve));
  const [body, headers] = deliveries.shift();
  const event = await client.webhooks.unwrap(body, headers);
  assert.deepEqual([event.type, event.data.id], [type, job.id]);
  await assert.rejects(client.webhooks.unwrap(body + " ", headers), OpenAI.InvalidWebhookSignatureError);
}

async function files() {
  const made = [];
  for (let number = 0; number < 5; number++) {
    const file = await toFile(lines(12), `${number}.jsonl`);
    made.push((await client.files.create({ file, purpose: "fine-tune" })).id);
  }
  const expires_after = { anchor: "created_at", seconds: 3600 };
  const short = await client.files.create({ file: await toFile(lines(1), "f"), purpose: "user_data", expires_after });
  assert.equal(short.expires_at, short.created_at + 3600);
  assert.deepEqual(ids(await every(client.files.list({ limit: 2, order: "asc", purpose: "fine-tune" }))), made);
  assert.equal((await client.files.waitForProcessing(made[0])).filename, "0.jsonl");
  assert.ok((await bytes(made[0])).equals(lines(12)));
  assert.ok((await client.files.delete(made[4])).deleted);
  await assert.rejects(client.files.retrieve(made[4]), OpenAI.NotFoundError);
  return made[0];
}

async function uploads() {
  const wanted = { bytes: 6, filename: "t.jsonl", mime_type: "text/jsonl", purpose: "fine-tune" };
  const { id } = await client.uploads.create(wanted);
  const parts = [];
  for (const text of ["abc", "def"]) {
    const part = await client.uploads.parts.create(id, { data: await toFile(Buffer.from(text), "part") });
    parts.push(part.id);
  }
  const md5 = crypto.createHash("md5").update("abcdef").digest("hex");
  const { status, file } = await client.uploads.complete(id, { part_ids: parts, md5 });
  assert.deepEqual([status, file.bytes], ["completed", 6]);
  assert.equal((await bytes(file.id)).toString(), "abcdef");
  const other = await client.uploads.create(wanted);
  assert.equal((await client.uploads.cancel(other.id)).status, "cancelled");
}

async function supervised(file) {
  const hyperparameters = { n_epochs: 5, batch_size: 4, learning_rate_multiplier: 0.5 };
  let job = await jobs.create({
    model: MODEL,
    training_file: file,
    validation_file: file,
    suffix: "mine",
    seed: 7,
    metadata: { team: "a" },
    integrations: [{ type: "wandb", wandb: { project: "p", name: null, tags: ["t"] } }],
    method: { type: "supervised", supervised: { hyperparameters } },
  });
  assert.deepEqual([job.status, job.seed, job.metadata], ["validating_files", 7, { team: "a" }]);
  await control("/advance", { minutes: 60 });
  job = await jobs.retrieve(job.id);
  assert.deepEqual([job.status, job.error], ["succeeded", null]);
  await told("fine_tuning.job.succeeded", job);

  const events = await every(jobs.listEvents(job.id, { limit: 3 }));
  assert.equal(events[0].message, "The job has successfully completed");
  assert.equal(new Set(ids(events)).size, events.length);
  const checkpoints = await every(jobs.checkpoints.list(job.id, { limit: 2 }));
  assert.equal(checkpoints[0].fine_tuned_model_checkpoint, job.fine_tuned_model);
  assert.equal(checkpoints.length, 3);
  assert.ok((await bytes(job.result_files[0])).toString().startsWith("step,train_loss"));
  await model(job.fine_tuned_model);
}

async function model(name) {
  assert.ok(ids(await every(client.models.list())).includes(name));
  assert.equal((await client.models.retrieve(name)).id, name);
  const { permissions } = client.fineTuning.checkpoints;
  const granted = await every(permissions.create(name, { project_ids: ["proj_a", "proj_b", "proj_c"] }));
  assert.deepEqual(ids(await every(permissions.list(name, { limit: 2, order: "ascending" }))), ids(granted));
  const gone = await permissions.delete(granted[0].id, { fine_tuned_model_checkpoint: name });
  assert.ok(gone.deleted);
  assert.ok((await client.models.delete(name)).deleted);
  await assert.rejects(client.models.retrieve(name), (error) => error.code === "model_not_found");
}

async function otherMethods(file) {
  const message = [{ role: "assistant", content: "a" }];
  const input = { messages: [{ role: "user", content: "q" }] };
  const pair = JSON.stringify({ input, preferred_output: message, non_preferred_output: message }) + "\n";
  const pairs = await client.files.create({
    file: await toFile(Buffer.from(pair.repeat(10)), "pairs.jsonl"),
    purpose: "fine-tune",
  });
  const dpo = { type: "dpo", dpo: { hyperparameters: { beta: 0.2, n_epochs: 1 } } };
  const settings = { grader: GRADER, hyperparameters: { n_epochs: 1, reasoning_effort: "low" } };
  const graded = { type: "reinforcement", reinforcement: settings };
  for (const [training_file, method] of [[pairs.id, dpo], [file, graded]]) {
    const job = await jobs.create({ model: MODEL, training_file, method });
    await control(`/jobs/${job.id}/finish`);
    assert.equal((await jobs.retrieve(job.id)).status, "succeeded");
    await told("fine_tuning.job.succeeded", job);
  }
}

async function filteredLists(file) {
  const made = [];
  for (let number = 0; number < 5; number++) {
    const metadata = { run: number % 2 === 0 ? "even" : "odd", by: "us" };
    made.unshift((await jobs.create({ model: MODEL, training_file: file, metadata })).id);
  }
  const even = made.filter((_, index) => index % 2 === 0);
  assert.deepEqual(ids(await every(jobs.list({ limit: 2, metadata: { run: "even", by: "us" } }))), even);
  assert.deepEqual(ids(await every(jobs.list({ limit: 2 }))).slice(0, 5), made);
}

async function heldAndCancelled(file) {
  let job = await jobs.create({ model: MODEL, training_file: file });
  assert.equal((await jobs.pause(job.id)).status, "pausing");
  await control("/advance", { seconds: 5 });
  assert.equal((await jobs.retrieve(job.id)).status, "paused");
  assert.equal((await jobs.resume(job.id)).status, "validating_files");
  job = await jobs.cancel(job.id);
  assert.equal(job.status, "cancelled");
  await told("fine_tuning.job.cancelled", job);
  await assert.rejects(jobs.cancel(job.id), OpenAI.BadRequestError);
}

async function failed() {
  const file = await client.files.create({ file: await toFile(lines(9), "few.jsonl"), purpose: "fine-tune" });
  const job = await jobs.create({ model: MODEL, training_file: file.id });
  await control("/advance", { seconds: 10 });
  assert.equal((await jobs.retrieve(job.id)).error.code, "invalid_n_examples");
  await told("fine_tuning.job.failed", job);
}

async function graders() {
  const { graders } = client.fineTuning.alpha;
  assert.deepEqual((await graders.validate({ grader: GRADER })).grader, GRADER);
  const run = await graders.run({ grader: GRADER, model_sample: "4", item: { answer: "4" } });
  assert.equal(run.reward, 1);
  const wrong = { ...GRADER, operation: "none" };
  await assert.rejects(graders.validate({ grader: wrong }), (error) => error.param === "grader.operation");
}

async function refused() {
  await assert.rejects(jobs.retrieve("ftjob-none"), (error) => error.code === "fine_tune_not_found");
  const body = { model: "no-such-model", training_file: "file-none" };
  await assert.rejects(jobs.create(body), (error) => error.code === "model_not_available");
  const stranger = client.withOptions({ apiKey: "sk-invalid" });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
}

async function main() {
  const file = await files();
  await uploads();
  await supervised(file);
  await otherMethods(file);
  await filteredLists(file);
  await heldAndCancelled(file);
  await failed();
  await graders();
  await refused();
}

receiver.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${receiver.address().port}/hook`);
  process.stdin.once("data", () => {
    main().then(
      () => process.exit(0),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
});
