/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The program's maps and the one word that says which of them are written.
 */
#ifndef XDP_COUNT_COUNT_MAPS_H
#define XDP_COUNT_COUNT_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

/*
 * The generation that program runs write to: 0 or 1. The agent writes it in
 * place (this is mmap-ed memory), and each run reads it once.
 */
volatile __u32 active_generation;

/*
 * What the agent reads as memory: for each CPU and generation, number
 * CPU * XC_GENERATIONS + generation, a struct xc_cpu_counts with its hot table
 * behind it. One map, so that a packet pays for one look-up. The agent sets
 * max_entries and value_size before load.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct xc_cpu_counts));
} cpu_counts SEC(".maps");

/*
 * The spill tier, for sources that find no slot in the hot one: the key in
 * network byte order, one map per generation. The agent sets max_entries
 * before load. Preallocated (no BPF_F_NO_PREALLOC),
 * so that memory is fixed at start and no packet waits for an allocation.
 */
struct spill_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, __be32);
	__type(value, struct xc_counts);
};

struct spill_map spill_0 SEC(".maps");
struct spill_map spill_1 SEC(".maps");

#endif /* XDP_COUNT_COUNT_MAPS_H */
