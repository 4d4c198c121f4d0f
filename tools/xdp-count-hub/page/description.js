// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the hub knows of an address, in a line: "dns.example, AS64496 Example, NL"
export function described({ name, asn, organization, country } = {}) {
  const system = asn ? `AS${asn}${organization ? ` ${organization}` : ""}` : "";
  return [name, system, country].filter((part) => part).join(", ");
}
