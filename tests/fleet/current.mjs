// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// current.mjs DATA KEPT FLEET: runs the statements of FLEET in a database in DATA, with what proxy.py
// has put into KEPT, and says so as doctest would.
import fs from 'node:fs';
import { Session } from 'chdb';

const [data, kept, fleet] = process.argv.slice(2);
const session = new Session(data);
let failed = 0;

const check = (what, found, expected) => {
  if (found === expected) return;
  failed = 1;
  console.log(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
};
const statements = (file) =>
  fs.readFileSync(`${fleet}/${file}`, 'utf8').replace(/--.*/g, '').split(';')
    .map((statement) => statement.trim()).filter((statement) => statement);
const answers = (file) => statements(file).map((statement) => session.query(statement, 'TSV'));

console.log(`ClickHouse ${session.query('SELECT version()', 'TSV').trim()}`);
for (const answer of answers('schema.sql')) check('schema.sql', answer, '');
for (const answer of answers('ttl.sql')) check('ttl.sql', answer, '');
// What a view has that sums up what comes.
session.query(`CREATE MATERIALIZED VIEW xdp_count.summed ENGINE = SummingMergeTree ORDER BY level
  AS SELECT level, packets FROM xdp_count.row`);
// The data are old enough for a month to be over, or not: nothing goes before it is merged away.
for (const name of fs.readdirSync(kept).sort()) {
  const text = fs.readFileSync(`${kept}/${name}`, 'utf8');
  const end = text.indexOf('\n');
  if (text.length > end + 1) session.query(`${text.slice(0, end).replace('INTO ', 'INTO xdp_count.')}\n${text.slice(end + 1)}`);
}
const number = (statement) => Number(session.query(statement, 'TSV'));
const packets = number('SELECT sum(ipv4_packets) FROM xdp_count.bucket FINAL WHERE level = 0');
check('packets', packets, 12000);
check('rows', number('SELECT sum(packets) FROM xdp_count.row FINAL WHERE level = 0'), packets);
check('what came twice', number('SELECT sum(packets) FROM xdp_count.row WHERE level = 0') > packets, true);
check('a view has it twice', number('SELECT sum(packets) FROM xdp_count.summed WHERE level = 0') > packets, true);
for (const answer of answers('audit.sql')) check('audit.sql', answer, '');
answers('queries.sql');
// What the panels and variables of the dashboard ask, as Grafana would put it.
const dashboard = JSON.parse(fs.readFileSync(`${fleet}/dashboard.json`, 'utf8'));
const chosen = {level: '0', site: "'harbour'", machine: "'gate-1'", address: "'10.0.0.1'"};
const asked = (sql) => session.query(
  sql.replace(/\$\{(\w+)(:singlequote)?\}/g, (_, name) => chosen[name])
    .replaceAll('$__fromTime', 'toDateTime(0)').replaceAll('$__toTime', 'now()'), 'TSV');
for (const panel of dashboard.panels) {
  const empty = asked(panel.targets[0].rawSql) === '';
  check(panel.title, empty, panel.title === 'When nobody recorded');
}
for (const variable of dashboard.templating.list)
  if (variable.type === 'query') check(variable.name, asked(variable.query).trim(), chosen[variable.name].replaceAll("'", ''));

console.log(`[doctest] test cases: 1 | ${1 - failed} passed | ${failed} failed | 0 skipped`);
process.exit(failed);
