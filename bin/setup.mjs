// The door behind `npm start`, `npm test` and `npm run check`. It asks for a Node that can run the rest before
// anything newer is parsed: this file keeps to syntax that Node 12 reads, and bin/prepare.mjs does the work.
var LEAST = 20
var major = Number(process.versions.node.split('.')[0])

if (major < LEAST) {
  process.stderr.write(
    'sluice: this is Node ' +
      process.versions.node +
      '; please install Node ' +
      LEAST +
      ' or newer (https://nodejs.org) and try again.\n',
  )
  process.exit(1)
} else {
  import('./prepare.mjs')
    .then((prepare) => prepare.main(process.argv.slice(2)))
    .then((code) => {
      process.exitCode = code
    })
    .catch((error) => {
      process.stderr.write('sluice: ' + (error && error.stack ? error.stack : String(error)) + '\n')
      process.exitCode = 1
    })
}
