/*
 * Threads of ours must leave every signal to the thread that the server knows: its handlers use variables and a latch that are
 * that thread's. A new thread has the mask of the one that starts it, so all signals are blocked while threads are started.
 */
#include "postgres.h"

#include <pthread.h>
#include <signal.h>

static sigset_t before;

extern bool fhirlake_block_signals(void);
extern void fhirlake_unblock_signals(void);

bool
fhirlake_block_signals(void)
{
	sigset_t	all;

	sigfillset(&all);
	return pthread_sigmask(SIG_SETMASK, &all, &before) == 0;
}

void
fhirlake_unblock_signals(void)
{
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
