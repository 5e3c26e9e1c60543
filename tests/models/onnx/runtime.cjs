// Runs models in ONNX Runtime. Usage: node runtime.cjs FOLDER < LINES, as onnx_driver prints them.
// Prints a line for each: the name, how far the results differ at most, how far they may.
const {readFileSync} = require('node:fs');
const ort = require('onnxruntime-node');

function floats(file) {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

async function run(folder, line) {
  const [name, tolerance, ...shape] = line.split(' ');
  const session = await ort.InferenceSession.create(`${folder}/${name}.onnx`,
    {intraOpNumThreads: 1, logSeverityLevel: 3});
  const x = new ort.Tensor('float32', floats(`${folder}/${name}.in`), shape.map(Number));
  const results = await session.run({[session.inputNames[0]]: x});
  const got = results[session.outputNames[0]].data;
  const want = floats(`${folder}/${name}.out`);
  const differences = Array.from(want, (value, i) => Math.abs(value - got[i]));
  const largest = got.length === want.length ? Math.max(...differences) : Infinity;
  console.log(`${name} ${largest} ${tolerance}`);
}

(async () => {
  for (const line of readFileSync(0, 'utf8').trim().split('\n')) {
    try {
      await run(process.argv[2], line);
    } catch (error) {
      console.log(`${line.split(' ')[0]} NaN 0 ${error.message}`);
    }
  }
})();
