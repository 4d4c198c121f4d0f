// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Keeps each run of another XDP program at its entry, before its first
 * instruction, until it is let go or some seconds have passed.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#define ROUNDS 500
#define LOOPS (1U << 20)

volatile __u32 held = 0;
volatile __u32 let_go = 0;

static long look(__u32 index, void *context)
{
	(void)index;
	(void)context;
	return let_go != 0;
}

/* There are two levels of loops: the kernel takes 2^23 at once, which are over too soon. */
static long look_often(__u32 index, void *context)
{
	(void)index;
	(void)context;
	bpf_loop(LOOPS, look, NULL, 0);
	return let_go != 0;
}

SEC("fentry")
int hold(void *context)
{
	(void)context;
	held = 1;
	bpf_loop(ROUNDS, look_often, NULL, 0);
	return 0;
}

/* The kernel wants it for fentry. */
char _license[] SEC("license") = "Dual BSD/GPL";
