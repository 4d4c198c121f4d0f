/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The agent's memory. It is in maps of the program, so that it lives as long as
 * the program counts: an agent that is killed leaves it to the next one. The
 * program itself does not look inside.
 */
#ifndef XDP_COUNT_AGENT_MAPS_H
#define XDP_COUNT_AGENT_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* What the values are is up to the agent, which sets their size and number before load. */
#define XC_AGENT_MAP(name)                                                                         \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(map_flags, BPF_F_MMAPABLE);                                                 \
		__uint(max_entries, 1);                                                            \
		__uint(key_size, sizeof(__u32));                                                   \
		__uint(value_size, sizeof(__u64));                                                 \
	} name SEC(".maps")

XC_AGENT_MAP(ledger); /* the cumulative counts of every tracked source */
XC_AGENT_MAP(ledger_peers); /* where sources are pairs, the second addresses of those there */
XC_AGENT_MAP(agent_state); /* everything else that is cumulative */

/*
 * The kernel keeps the maps that a program names alive with it, also where the
 * verifier finds that the code is never reached, as here: there is no map of
 * size 0. So the maps come and go with the program in one step, whatever
 * happens to the agent.
 */
static __always_inline void hold_agent_maps(__u32 possible_cpus)
{
	__u32 key = 0;

	if (possible_cpus != 0)
		return;
	bpf_map_lookup_elem(&ledger, &key);
	bpf_map_lookup_elem(&ledger_peers, &key);
	bpf_map_lookup_elem(&agent_state, &key);
}

#endif /* XDP_COUNT_AGENT_MAPS_H */
