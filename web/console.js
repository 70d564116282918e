// The page: one stream of events in, elements out. When the stream stops, the page says so and keeps what it had.
import { drawCurve, drawLine } from './chart.js'
import { amount, clock, count, fill, put, quantity, signOf, span } from './render.js'

const SILENT_MS = 6_000
const RATES_KEPT = 120
const rates = []
let lastHeardAt = 0
let lastTime

function show(state) {
  const { status, streams, workers, opportunities, decisions, trades, positions, equity, failures } = state
  showAbout(state)
  if (status) showFigures(status)
  if (streams) showStreams(streams)
  if (workers) showWorkers(workers)
  if (opportunities) showOpportunities(opportunities, decisions ?? [], state.time)
  if (trades) showTrades(trades)
  if (positions) showPositions(positions)
  if (equity) showEquity(equity)
  showFailures(failures)
}

function showAbout({ about, opportunities = [], trades = [] }) {
  const isSimulated = about.simulated || [...opportunities, ...trades].some((row) => row.simulated)
  document.getElementById('simulated').hidden = !isSimulated
  put('about', `${about.version} · feed ${about.feed} · ${about.database}`)
}

function showFigures(status) {
  rates.push(status.quotesPerSecond)
  if (rates.length > RATES_KEPT) rates.shift()
  drawLine(document.getElementById('quotes-line'), rates)
  put('quotes', count(Math.round(status.quotesPerSecond)))
  put('opportunities-count', count(status.opportunities))
  put('open', count(status.open))
  put('opportunities-rate', status.opportunitiesPerSecond.toFixed(1))
  put('executed', count(status.executed))
  put('refused', count(status.refused))
  const reasons = Object.entries(status.refusals).map(([reason, times]) => `${reason} ${times}`)
  document.getElementById('refused').title = reasons.join('\n')
  put('trade-count', count(status.trades))
  put('fill-count', count(status.fills))
  put('lag', count(status.lag))
  put('oldest', span(status.oldestMs))
  put('dead', count(status.deadLetters))
  put('worker-count', count(status.workers))
  document.getElementById('dead-figure').classList.toggle('alarm', status.deadLetters > 0)
  document.getElementById('lag-figure').classList.toggle('alarm', status.oldestMs > 10_000)
  showProfit(status.profit)
}

function showProfit(profit) {
  const parts = Object.entries(profit).sort(([a], [b]) => (a < b ? -1 : 1))
  const elements = parts.map(([currency, text]) => {
    const figure = document.createElement('span')
    figure.className = `amount ${signOf(text)}`
    figure.title = `${text} ${currency}`
    const unit = document.createElement('span')
    unit.className = 'currency'
    unit.textContent = currency
    figure.append(amount(text), unit)
    return figure
  })
  const element = document.getElementById('profit')
  if (elements.length === 0) element.textContent = '0'
  else element.replaceChildren(...elements)
}

function showOpportunities(rows, decisions, now) {
  const decided = new Map(decisions.map((decision) => [decision.opportunityId, decision]))
  fill(
    'opportunities',
    rows,
    (row) => row.id,
    (row) => {
      const isOpen = row.closedAt === null
      const lifeMs = Math.max(0, (isOpen ? now : row.lastSeenAt) - row.openedAt)
      return [
        [clock(row.openedAt), '', row.id],
        [row.symbol],
        [`${row.buyVenue} → ${row.sellVenue}`, '', `${row.buyPrice} → ${row.sellPrice}`],
        [row.edgeBps.toFixed(2), 'n'],
        [row.bestEdgeBps.toFixed(2), 'n opt'],
        [isOpen ? 'open' : span(lifeMs), isOpen ? 'n gain' : 'n', isOpen ? span(lifeMs) : row.reason],
        [row.profit.toFixed(2), 'n opt', 'estimate of the detector, in the quote currency'],
        decisionCell(decided.get(row.id)),
      ]
    },
  )
}

function decisionCell(decision) {
  if (!decision) return ['–', 'faint']
  const { status, outcome, reason } = decision
  if (status === 'refused') return [(reason ?? 'refused').replaceAll('_', ' '), 'faint', 'refused']
  if (status === 'pending') return ['pending', 'warn']
  return [outcome ?? status, outcome === 'filled' ? 'gain' : 'warn', reason ?? '']
}

function showTrades(rows) {
  fill(
    'trades',
    rows,
    (row) => row.opportunityId,
    (row) => [
      [clock(row.completedAt), '', row.opportunityId],
      [row.symbol],
      [`${row.buyVenue} → ${row.sellVenue}`],
      [quantity(row.boughtQuantity), 'n opt', `bought ${row.boughtQuantity}, sold ${row.soldQuantity}`],
      [amount(row.fees), 'n opt', `${row.fees} ${row.profitAsset}`],
      [
        `${amount(row.profit)} ${row.profitAsset}`,
        `n ${signOf(row.profit)}`,
        `${row.profit} ${row.profitAsset}`,
      ],
      [row.outcome, row.outcome === 'filled' ? 'faint' : 'warn'],
    ],
  )
}

function showPositions(rows) {
  fill(
    'positions',
    rows,
    (row) => `${row.symbol} ${row.venue}`,
    (row) => [
      [row.symbol],
      [row.venue],
      [quantity(row.quantity), `n ${row.quantity.startsWith('-') ? 'loss' : ''}`.trim(), row.quantity],
      [row.averageBought === null ? '–' : quantity(row.averageBought), 'n', row.averageBought ?? ''],
      [row.averageSold === null ? '–' : quantity(row.averageSold), 'n', row.averageSold ?? ''],
      [quantity(row.lastPrice), 'n', row.lastPrice],
      [amount(row.fees), 'n opt', row.fees],
    ],
  )
}

const NO_GROUP = { group: '–', lag: 0, pending: 0, oldestMs: 0, members: undefined }

/** One row for each group; a stream's own figures stand in its first one. */
function showStreams(streams) {
  const rows = streams.flatMap((stream) =>
    (stream.groups.length > 0 ? stream.groups : [NO_GROUP]).map((group, at) => ({
      ...group,
      stream,
      isFirst: at === 0,
    })),
  )
  fill(
    'streams',
    rows,
    ({ stream, group }) => `${stream.stream} ${group}`,
    ({ stream, group, lag, pending, oldestMs, members, isFirst }) => {
      const late = oldestMs > 10_000 ? 'n loss' : 'n'
      const own = (text, className) => (isFirst ? [text, className] : [''])
      return [
        [stream.stream, isFirst ? '' : 'faint'],
        own(stream.perSecond.toFixed(1), 'n'),
        own(count(stream.length), 'n opt'),
        [group, 'faint'],
        [count(lag), late],
        [count(pending), 'n opt'],
        [oldestMs === 0 ? '–' : span(oldestMs), late],
        members === undefined ? ['–', 'n faint'] : [count(members), members === 0 ? 'n loss' : 'n'],
        own(count(stream.deadLetters), stream.deadLetters > 0 ? 'n loss' : 'n faint'),
      ]
    },
  )
}

/** Shown where the mouse rests: which process it is, and what it cannot do. */
const whatFails = ({ id, troubles }) =>
  [id, ...troubles.map(({ what, reason }) => `cannot store ${what}: ${reason}`)].join('\n')

function showWorkers(workers) {
  fill(
    'workers',
    workers,
    (row) => row.id,
    (row) => [
      [row.name, row.troubles.length > 0 ? 'loss' : '', whatFails(row)],
      [String(row.pid), 'n'],
      [span(row.uptimeMs), 'n'],
      [`${Math.round(row.rssBytes / 1e6)} MB`, 'n', `heap ${Math.round(row.heapBytes / 1e6)} MB`],
      [`${row.loopDelayP99Ms.toFixed(1)} ms`, row.loopDelayP99Ms > 100 ? 'n warn' : 'n'],
    ],
  )
}

function showEquity(points) {
  const byAsset = Map.groupBy([...points].reverse(), (point) => point.asset)
  const charts = document.getElementById('equity-charts')
  for (const figure of [...charts.children]) if (!byAsset.has(figure.dataset.asset)) figure.remove()
  for (const [asset, curve] of [...byAsset].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const figure = [...charts.children].find((one) => one.dataset.asset === asset) ?? newChart(charts, asset)
    const first = curve[0]
    const last = curve.at(-1)
    drawCurve(
      figure.querySelector('svg'),
      curve.map((point) => Number(point.equity)),
    )
    const [worth, realized] = figure.querySelectorAll('figcaption span')
    worth.textContent = `${amount(last.equity)} ${asset}`
    worth.title = last.equity
    realized.textContent = `realised ${amount(last.realized)}`
    realized.className = signOf(last.realized)
    realized.title = last.realized
    const [from, between, to] = figure.querySelectorAll('.ends span')
    const sorted = curve.map((point) => point.equity).sort((x, y) => Number(x) - Number(y))
    from.textContent = clock(first.time)
    to.textContent = clock(last.time)
    between.textContent = `low ${amount(sorted[0])}, high ${amount(sorted.at(-1))}`
  }
  document.getElementById('equity-empty').hidden = points.length > 0
}

function newChart(charts, asset) {
  const figure = document.createElement('figure')
  figure.dataset.asset = asset
  const caption = document.createElement('figcaption')
  caption.append(document.createElement('span'), document.createElement('span'))
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('class', 'chart')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', `Equity in ${asset} after each of the last trades`)
  const ends = document.createElement('div')
  ends.className = 'ends'
  ends.append(...[1, 2, 3].map(() => document.createElement('span')))
  figure.append(caption, svg, ends)
  charts.append(figure)
  return figure
}

function showFailures(failures) {
  // Several parts fail for one reason: it is said once.
  const reasons = new Map()
  for (const [part, { code, message }] of Object.entries(failures)) {
    const text = `${code}: ${message}`
    reasons.set(text, [...(reasons.get(text) ?? []), part])
  }
  const lines = [...reasons].map(([text, parts]) => `${text} (shown as last known: ${parts.join(', ')})`)
  const problems = document.getElementById('problems')
  if (problems.textContent !== lines.join(' ')) problems.textContent = lines.join(' ')
  problems.hidden = lines.length === 0
}

function setConnection(kind, text) {
  if (document.body.className !== kind) document.body.className = kind
  put('connection-text', text)
}

function hear(state) {
  lastHeardAt = performance.now()
  lastTime = state.time
  show(state)
  setConnection('live', 'live')
  put('clock', `${clock(state.time)} UTC`)
}

function lose() {
  setConnection('lost', 'connection lost, reconnecting')
  put('clock', lastTime === undefined ? '' : `figures of ${clock(lastTime)} UTC`)
}

function connect() {
  const source = new EventSource('/api/live')
  source.addEventListener('state', (event) => hear(JSON.parse(event.data)))
  source.addEventListener('closing', lose)
  source.addEventListener('error', () => {
    lose()
    // The browser tries again by itself, except after an answer that it takes for final.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3_000)
  })
}

connect()
setInterval(() => {
  if (lastHeardAt > 0 && performance.now() - lastHeardAt > SILENT_MS) lose()
}, 1_000)
