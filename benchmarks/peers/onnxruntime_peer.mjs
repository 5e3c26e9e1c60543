// ONNX Runtime's side of the comparison: the protocol of peer.h.
// usage: node onnxruntime_peer.mjs MODEL INPUT BATCH THREADS LOGITS
import {readFileSync, writeFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import * as ort from 'onnxruntime-node';

const [model, inputFile, batch, threads, logitsFile] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
});

const bytes = readFileSync(inputFile);
const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const feeds = {
  [session.inputNames[0]]: new ort.Tensor('float32', values, [Number(batch), 3, 224, 224]),
};

const first = await session.run(feeds);
const logits = first[session.outputNames[0]].data;
writeFileSync(logitsFile, Buffer.from(logits.buffer, logits.byteOffset, logits.byteLength));

console.log(`ready ONNX Runtime ${ort.env.versions.node}`);
for await (const line of createInterface({input: process.stdin})) {
  const times = [];
  for (let i = 0; i < Number(line); ++i) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  console.log(times.join(' '));
}
