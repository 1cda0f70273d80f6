/*
 * One connection, two replicas and a claim store. `npm run proof:model` lets spin visit every state that up to FAULTS
 * faults can lead to. The guide to exclusive transports says what this covers and what it does not.
 *
 * Time passes in ticks. A claim is valid for TTL ticks by the store's clock, and an owner relies on it for VALID ticks by
 * its own clocks, counted from before the request was sent that proved it. Each MISTAKE breaks one rule, and must be found.
 */
#ifndef MISTAKE
#define MISTAKE 0
#endif
#define PROVEN_BY_ANSWER 1       /* a proof counts from its answer, not from its request */
#define NO_MARGIN 2              /* an owner relies on its claim for all of the TTL, though its clock may be slow */
#define MONOTONIC_ONLY 3         /* elapsed time is the monotonic clock's, which stands still while the machine sleeps */
#define NO_UPTIME 4              /* ... or the wall clock's, which may be set back meanwhile */
#define TAKES_VALID_CLAIM 5      /* the store gives away a claim that has not expired */
#define RELEASE_BY_OWNER 6       /* a release compares the owner, not the token */
#define RELEASE_BEFORE_STOP 7    /* a claim is released while its loop is running */
#define TOKEN_USED_TWICE 8       /* a claim gets the token of the one before */
#define LATE_CLAIM_KEPT 9        /* a claim whose answer came too late counts as just taken */
#define NEVER_RECLAIMED 10       /* an expired claim stays its owner's */
#define NO_DEADLINE 11           /* a request that is never answered is waited for */
#define NEVER_LETS_GO 12         /* neither its deadline nor the store's answer ends an owner's work */

#ifndef FAULTS
#define FAULTS 4
#endif
#define REPLICAS 2
#define NOBODY REPLICAS          /* also a process that has crashed, whose claim runs out */
#define TTL 3
#if MISTAKE == NO_MARGIN
#define VALID 3
#else
#define VALID 2
#endif

mtype = { NONE, SERVING, STOPPING, LOST, RELEASING,         /* a replica's connection; LOST stops without a release */
          IDLE, RENEW, CLAIM, RELEASE,                      /* a request */
          SENT, ANSWERED, UNANSWERED };                     /* how far it got */

/* The store. Tokens are names: the store takes one that nobody remembers, and `highest` is the one it took last. */
byte owner = NOBODY, left = 0, stored = 0, highest = 0;

/* The replicas. Ages are ticks since the claim was proven, as each clock shows them; beyond VALID they do not matter. */
bool alive[REPLICAS] = true, awake[REPLICAS] = true, asleep[REPLICAS];
mtype holding[REPLICAS] = NONE;
byte token[REPLICAS];
byte monotonic[REPLICAS], wall[REPLICAS], uptime[REPLICAS];
bool slow[REPLICAS];             /* the clocks have missed a tick since then: they may miss one */

/* The request under way, its own ages, and its answer. */
mtype request[REPLICAS] = IDLE, stage[REPLICAS] = SENT;
byte sentMonotonic[REPLICAS], sentWall[REPLICAS], sentUptime[REPLICAS], named[REPLICAS];
bool sentSlow[REPLICAS], granted[REPLICAS], asked[REPLICAS];
/* A request that was given up, and may still be carried out. */
mtype late[REPLICAS] = IDLE;
byte lateNamed[REPLICAS];

byte faults = FAULTS;            /* how many more things may go wrong */
byte fresh;
bool ignored;

#if MISTAKE == MONOTONIC_ONLY
#define OLD(m, w, u) (m >= VALID)
#elif MISTAKE == NO_UPTIME
#define OLD(m, w, u) (m >= VALID || w >= VALID)
#else
#define OLD(m, w, u) (m >= VALID || w >= VALID || u >= VALID)
#endif
#define OVERDUE(r) OLD(monotonic[r], wall[r], uptime[r])
#define UP(age) age = (age < VALID -> age + 1 : age)
/* The loop is in the middle of its work; `assertHeld` has just passed. */
#define LOOP(r) (holding[r] == SERVING || holding[r] == STOPPING)
#define POLLS(r) (alive[r] && awake[r] && LOOP(r) && !OVERDUE(r))
#define IS_OWNER(r) (owner == r && left > 0 && stored == token[r])
#define SERVED(r) (POLLS(r) && holding[r] == SERVING && IS_OWNER(r))
#define SAFE(r) (!POLLS(r) || (IS_OWNER(r) && token[r] == highest))

inline forget(r) { holding[r] = NONE; token[r] = 0; monotonic[r] = 0; wall[r] = 0; uptime[r] = 0; slow[r] = 0 }
inline answered(r) {
  request[r] = IDLE; stage[r] = SENT; named[r] = 0; granted[r] = 0;
  sentMonotonic[r] = 0; sentWall[r] = 0; sentUptime[r] = 0; sentSlow[r] = 0
}
inline send(r, what, about) { request[r] = what; stage[r] = SENT; named[r] = about; asked[r] = 1 }
inline prove(r) {
#if MISTAKE == PROVEN_BY_ANSWER
  monotonic[r] = 0; wall[r] = 0; uptime[r] = 0; slow[r] = 0
#else
  monotonic[r] = sentMonotonic[r]; wall[r] = sentWall[r]; uptime[r] = sentUptime[r]; slow[r] = sentSlow[r]
#endif
}

#define REMEMBERED(t) (t == stored || t == token[0] || t == token[1] || t == named[0] || t == named[1] \
  || t == lateNamed[0] || t == lateNamed[1])
inline takeFresh() {
#if MISTAKE == TOKEN_USED_TWICE
  fresh = (stored == 0 -> 1 : stored);
#else
  fresh = 1;
  do :: REMEMBERED(fresh) -> fresh++ :: else -> break od;
#endif
}

/* The store carries out a request, in one step. */
inline carryOut(r, what, about, result, claimed) {
  result = 0; claimed = about;
  if
  :: what == RENEW && owner == r && stored == about && left > 0 -> left = TTL; result = 1
#if MISTAKE == TAKES_VALID_CLAIM
  :: what == CLAIM && owner != r ->
#elif MISTAKE == NEVER_RECLAIMED
  :: what == CLAIM && owner == NOBODY && left == 0 ->
#else
  :: what == CLAIM && left == 0 ->
#endif
    takeFresh();
    assert(fresh != stored);
    owner = r; left = TTL; stored = fresh; highest = fresh; claimed = fresh; fresh = 0; result = 1
#if MISTAKE == RELEASE_BY_OWNER
  :: what == RELEASE && owner == r ->
#else
  :: what == RELEASE && owner == r && stored == about ->
#endif
    assert(!(LOOP(r) && token[r] == about));
    owner = NOBODY; left = 0; result = 1
  :: else
  fi
}

/* An answer arrives at a replica that is awake. */
inline take(r) {
  if
  :: request[r] == RENEW && holding[r] != NONE && token[r] == named[r] ->
    if
    :: granted[r] -> prove(r)
    :: !granted[r] && LOOP(r) && MISTAKE != NEVER_LETS_GO ->
       holding[r] = LOST; monotonic[r] = 0; wall[r] = 0; uptime[r] = 0; slow[r] = 0
    :: else
    fi
  :: request[r] == CLAIM && granted[r] ->
    token[r] = named[r];
#if MISTAKE == LATE_CLAIM_KEPT
    if :: OLD(sentMonotonic[r], sentWall[r], sentUptime[r]) -> holding[r] = SERVING :: else -> prove(r); holding[r] = SERVING fi
#else
    prove(r);
    if :: OVERDUE(r) -> holding[r] = RELEASING :: else -> holding[r] = SERVING fi
#endif
  :: request[r] == RELEASE -> forget(r)
  :: else
  fi;
  answered(r)
}

inline age(r) {
  if
  :: faults > 0 && (holding[r] != NONE && !slow[r] || request[r] != IDLE && !sentSlow[r]) ->
    faults--; slow[r] = (holding[r] != NONE); sentSlow[r] = (request[r] != IDLE)
  :: true ->
    if :: holding[r] != NONE -> UP(wall[r]); UP(uptime[r]); if :: !asleep[r] -> UP(monotonic[r]) :: else fi :: else fi;
    if :: request[r] != IDLE -> UP(sentWall[r]); UP(sentUptime[r]); if :: !asleep[r] -> UP(sentMonotonic[r]) :: else fi :: else fi
  fi;
  asked[r] = 0
}

#define RUNS(r) (alive[r] && awake[r])
#if MISTAKE == NO_DEADLINE
#define MAY_GIVE_UP(r) false
#else
#define MAY_GIVE_UP(r) (request[r] != IDLE && stage[r] == UNANSWERED)
#endif
#if MISTAKE == NEVER_LETS_GO
#define LETS_GO(r) false
#else
#define LETS_GO(r) (holding[r] == SERVING && OVERDUE(r))
#endif
/* What happens before the next tick unless something goes wrong. */
#define DUE(r) (faults == 0 && (alive[r] && !awake[r] || late[r] != IDLE) || request[r] != IDLE && stage[r] == SENT \
  || RUNS(r) && (request[r] != IDLE && (stage[r] == ANSWERED || MAY_GIVE_UP(r)) || LETS_GO(r) \
    || holding[r] == STOPPING || holding[r] == LOST || request[r] == IDLE && (holding[r] == RELEASING || !asked[r])))

#define WRONG faults > 0
/* Everything that may happen to one replica, its requests and its clocks. */
#define EVENTS(r) \
  :: atomic { RUNS(r) && holding[r] == SERVING && request[r] == IDLE && !asked[r] -> send(r, RENEW, token[r]) } \
  :: atomic { RUNS(r) && holding[r] == STOPPING && request[r] == IDLE && !asked[r] && !OVERDUE(r) -> send(r, RENEW, token[r]) } \
  :: atomic { RUNS(r) && holding[r] == NONE && request[r] == IDLE && !asked[r] -> send(r, CLAIM, 0) } \
  :: atomic { RUNS(r) && LETS_GO(r) -> holding[r] = STOPPING } \
  :: atomic { MISTAKE == RELEASE_BEFORE_STOP && RUNS(r) && holding[r] == STOPPING && request[r] == IDLE -> \
       send(r, RELEASE, token[r]) } \
  :: atomic { RUNS(r) && holding[r] == STOPPING -> \
       holding[r] = RELEASING; monotonic[r] = 0; wall[r] = 0; uptime[r] = 0; slow[r] = 0 } \
  :: atomic { RUNS(r) && holding[r] == LOST -> forget(r) } \
  :: atomic { RUNS(r) && holding[r] == RELEASING && request[r] == IDLE -> send(r, RELEASE, token[r]) } \
  :: atomic { RUNS(r) && MAY_GIVE_UP(r) -> if :: request[r] == RELEASE -> answered(r); forget(r) :: else -> answered(r) fi } \
  :: atomic { RUNS(r) && request[r] != IDLE && stage[r] == ANSWERED -> take(r) } \
  :: atomic { request[r] != IDLE && stage[r] == SENT -> \
       carryOut(r, request[r], named[r], granted[r], named[r]); stage[r] = ANSWERED } \
  :: atomic { late[r] != IDLE -> \
       carryOut(r, late[r], lateNamed[r], ignored, lateNamed[r]); late[r] = IDLE; lateNamed[r] = 0; ignored = 0 } \
  :: atomic { alive[r] && !awake[r] -> awake[r] = 1; asleep[r] = 0 } \
  :: atomic { !alive[r] -> alive[r] = 1 } \
  /* What may go wrong. The connection is handed over or edited; a request or an answer is lost; a request comes late. */ \
  :: atomic { WRONG && RUNS(r) && holding[r] == SERVING -> faults--; holding[r] = STOPPING } \
  :: atomic { WRONG && request[r] != IDLE && stage[r] != UNANSWERED -> faults--; stage[r] = UNANSWERED; granted[r] = 0 } \
  :: atomic { WRONG && request[r] != IDLE && stage[r] == SENT && late[r] == IDLE -> \
       faults--; late[r] = request[r]; lateNamed[r] = named[r]; stage[r] = UNANSWERED } \
  /* A process is paused; a machine sleeps; a wall clock is set back, or ahead. */ \
  :: atomic { WRONG && RUNS(r) -> faults--; awake[r] = 0 } \
  :: atomic { WRONG && RUNS(r) -> faults--; awake[r] = 0; asleep[r] = 1 } \
  :: atomic { WRONG && alive[r] && (wall[r] > 0 || sentWall[r] > 0) -> faults--; wall[r] = 0; sentWall[r] = 0 } \
  :: atomic { WRONG && alive[r] && holding[r] != NONE && wall[r] < VALID -> \
       faults--; wall[r] = VALID; sentWall[r] = (request[r] == IDLE -> 0 : VALID) } \
  /* A process crashes. */ \
  :: atomic { WRONG && alive[r] && alive[1 - r] -> \
       faults--; alive[r] = 0; awake[r] = 1; asleep[r] = 0; forget(r); answered(r); asked[r] = 0; \
       late[r] = IDLE; lateNamed[r] = 0; \
       if :: owner == r -> owner = NOBODY :: else fi }

active proctype world() {
  do
  EVENTS(0)
  EVENTS(1)
  :: atomic { !DUE(0) && !DUE(1) -> if :: left > 0 -> left-- :: else fi; age(0); age(1) }
  /* Something takes longer than a tick. */
  :: atomic { WRONG && (DUE(0) || DUE(1)) -> faults--; if :: left > 0 -> left-- :: else fi; age(0); age(1) }
  :: atomic { WRONG -> faults = 0 }
  :: atomic { !SAFE(0) || !SAFE(1) -> assert(false) }
  od
}

ltl safety_and_liveness { [] (faults == 0 -> <> (SERVED(0) || SERVED(1))) }
