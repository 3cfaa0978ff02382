/* The protocol of exec/mailbox_state: senders, a consumer loop started on demand, and senders that
 * wait for room in a wait_list.
 *
 * Checked for every interleaving of SENDERS that send EACH messages to a mailbox of CAPACITY with
 * LOOPS (1 is the queue of blocks, more is the queue of references):
 *  - never more than CAPACITY messages wait (A6);
 *  - when nothing can happen any more, no message is left and no sender waits (A7).
 * A sender may give up while it waits (A9), CANCELS times in all.
 *
 * PAUSES messages may pause between two attempts (docs/design/0024): their loop gives its permit to
 * others, and the message waits for one afterwards. It may give up as well. Never more than LOOPS
 * loops have a permit, and in the end none is taken. With LONG one pause may never end, and nobody
 * waits for it.
 *
 * With CLOSING 1 the mailbox closes to senders at any time, with 2 it then closes to all. The
 * messages of sender 0 are scheduled: only the second refuses them. With STUCK the handler of the
 * first message never ends, and so makes no space: nobody but a scheduled message may wait then.
 *
 * The model is sequentially consistent, but for one thing: a message is published by a release
 * store, which may become visible after the sender has looked at `active_`. What makes the code
 * consistent, where two sides each write one thing and then read the other's:
 *  - claim / active_ and active_ / claimed: all four are seq_cst;
 *  - sleeping_ / taken_ and taken_ / sleeping_: a seq_cst fence between the write and the read on
 *    either side (attempt, has_waiting(true)). has_waiting(false) has none, and the model lets it
 *    miss anything.
 * Everything else about waiting senders is under the lock. A claim is one step: a claim that
 * succeeds has read a count of taken messages, which may be old, and can only have grown; one that
 * fails has read the same tail before and after it. The idle spins of loops are 0 here, the least.
 *
 * Each of these takes one part away, and the check must then fail: NO_SECOND_LOOK, PUBLISHED_ONLY,
 * NO_PASSING_ON, LATE_COUNT, KEEP_CLAIM, HIDDEN_ROOM, NO_LOOK_FOR_WANTED, LATE_WANTED, NO_RECLAIM,
 * BLIND_RECLAIM, UNSEEN_MESSAGES, CLOSE_WITHOUT_WAKING.
 */

#ifndef SENDERS
#define SENDERS 3
#endif
#ifndef EACH
#define EACH 2
#endif
#ifndef CAPACITY
#define CAPACITY 1
#endif
#ifndef LOOPS
#define LOOPS 1
#endif
#ifndef CANCELS
#define CANCELS 1
#endif
#ifndef PAUSES
#define PAUSES 0
#endif
#ifndef CLOSING
#define CLOSING 0
#endif
#define BATCH 2
#define COROUTINES (LOOPS + PAUSES)
#define MESSAGES (SENDERS * EACH)

/* The queue: positions from 0 on. */
byte tail = 0;
byte taken = 0;
byte shown = 0; /* what senders see of it */
bool published[MESSAGES];

byte running = 0; /* permits that are taken: active_ */
byte posted = 0; /* loops that the executor is to run */
byte holding = 0; /* loops that have a permit, or are to get one with their post */

#if PAUSES
/* Messages that pause, and those whose pause is over. `paused` under the lock; all but `wanted` of
 * the others under a lock of their own. */
byte pauses = PAUSES;
byte paused = 0;
byte wanted = 0; /* permits: by those that wait for one, or more */
bool permits_locked = false;
byte permits_queued = 0;
byte permits_woken = 0;
byte handed_over = 0;
bool waits_for_permit[COROUTINES];
bool has_permit_now[COROUTINES];
#define PAUSED paused
#define WANTED wanted
#else
#define PAUSED 0
#define WANTED 0
#endif

byte closed = 0; /* 1: to all but scheduled messages; 2: to all */
byte refused = 0;
bool is_stuck = false;
bool is_long = false;

/* The waiting senders; all but `sleeping` and `slow_path_reasons` under the lock. */
bool locked = false;
byte slow_path_reasons = 0; /* senders that are queued or woken, or more */
byte sleeping = 0;   /* senders that are queued, or more */
byte queued = 0;
byte woken = 0;
byte next_number = 1;
bool is_queued[SENDERS];
bool is_woken[SENDERS];
byte number[SENDERS];

byte cancels = 0;
byte taken_in = 0; /* messages that were put in */
byte handled = 0;
byte done = 0; /* senders that have ended */

#define LOCK atomic { !locked -> locked = true }
#define UNLOCK locked = false
#define LOCK_PERMITS atomic { !permits_locked -> permits_locked = true }
#define UNLOCK_PERMITS permits_locked = false
#define IS_SCHEDULED (CLOSING && me == 0)
#define REFUSES (closed > (IS_SCHEDULED -> 1 : 0))
#ifdef PUBLISHED_ONLY
#define IS_EMPTY (taken == MESSAGES || !published[taken])
#else
#define IS_EMPTY (taken == tail)
#endif

/* Two looks: what was taken, and later the tail. The code sees `taken` here, or an older value. */
inline look_for_room(result) {
  if
  :: seen = taken
  :: seen = shown
  fi;
  d_step {
    if
    :: tail - seen + PAUSED < CAPACITY -> result = CAPACITY - (tail - seen) - PAUSED
    :: else -> result = 0
    fi;
    seen = 0
  }
}

/* wait_list::wake: so many of those that have waited longest. */
inline wake(many) {
  d_step {
    do
    :: many > 0 && queued > 0 ->
       j = SENDERS;
       i = 0;
       do
       :: i < SENDERS ->
          if
          :: is_queued[i] && (j == SENDERS || number[i] < number[j]) -> j = i
          :: else
          fi;
          i++
       :: else -> break
       od;
       is_queued[j] = false;
       queued--;
       is_woken[j] = true;
       woken++;
       many--
    :: else -> break
    od;
    i = 0; j = 0; many = 0
  }
}

/* notify_space_locked */
inline notify_space() {
  if
  :: closed == 2 -> places = SENDERS + woken
  :: else -> look_for_room(places)
  fi;
  if
  :: places > woken -> places = places - woken; wake(places)
  :: else -> places = 0
  fi;
  d_step { slow_path_reasons = queued + woken; sleeping = queued }
}

/* Sets `ticket` and `ok`. */
inline claim() {
  d_step {
    if
    :: tail - shown < CAPACITY ->
       ok = true;
       ticket = tail;
       tail++;
       taken_in++;
       assert(tail - taken <= CAPACITY)
    :: else -> ok = false
    fi
  }
}

inline start_loop() {
  running++;
  holding++;
  posted++;
  assert(holding <= LOOPS)
}

/* The message becomes visible before or after the sender looks for a loop. */
inline publish_and_start() {
  if
  :: published[ticket] = true; may_start = (running < LOOPS)
  :: may_start = (running < LOOPS); published[ticket] = true
  fi;
  if
  :: may_start ->
     atomic {
       if
       :: running < LOOPS -> start_loop()
       :: else
       fi
     }
  :: else
  fi;
  may_start = false
}

proctype sender(byte me) {
  byte left = EACH, ticket = 0, places = 0, others = 0, seen = 0, i = 0, j = 0;
  bool ok = false, may_start = false, is_refused = false;
  do
  :: left == 0 -> break
  :: else ->
     left--;
     /* try_put */
     ok = false;
     if
     :: slow_path_reasons == 0 && PAUSED == 0 && closed == 0 -> claim()
     :: slow_path_reasons == 0 && PAUSED == 0 && closed != 0 && !REFUSES -> claim()
     :: REFUSES -> is_refused = true
     :: else ->
        LOCK;
        d_step { others = queued + woken; slow_path_reasons = others; sleeping = queued };
        look_for_room(places);
        if
        :: places > others -> claim()
        :: else
        fi;
        d_step { places = 0; others = 0 };
        UNLOCK
     fi;
     if
     :: ok -> publish_and_start()
     :: is_refused -> d_step { is_refused = false; refused++ }
     :: else ->
        /* wait_list::wait */
        do
        :: LOCK;
           /* attempt */
           others = queued + woken - is_woken[me];
#ifndef LATE_COUNT
           d_step { slow_path_reasons = others + 1; sleeping = queued + 1 };
#endif
           look_for_room(places);
           if
           :: REFUSES -> d_step { ok = false; is_refused = true }
           :: else ->
              if
              :: places > (is_woken[me] -> 0 : others) -> claim()
              :: else -> ok = false
              fi
           fi;
#ifdef LATE_COUNT
           d_step { slow_path_reasons = others + 1; sleeping = queued + 1 };
#endif
           if
           :: ok || is_refused -> d_step { slow_path_reasons = others; sleeping = queued }
           :: else
           fi;
           /* try_or_join */
           d_step {
             if
             :: is_woken[me] ->
                is_woken[me] = false;
#ifdef KEEP_CLAIM
                if
                :: ok || is_refused -> woken--
                :: else
                fi
#else
                woken--
#endif
             :: else
             fi;
             if
             :: ok || is_refused -> number[me] = 0
             :: else ->
                if
                :: number[me] == 0 -> number[me] = next_number; next_number++
                :: else
                fi;
                is_queued[me] = true;
                queued++
             fi;
             places = 0;
             others = 0
           };
           UNLOCK;
           if
           :: ok -> publish_and_start(); break
           :: is_refused ->
              /* It may have had a claim to a place. */
              LOCK;
              notify_space();
              UNLOCK;
              d_step { is_refused = false; refused++ };
              break
           :: else
           fi;
#if defined(STUCK) || defined(LONG)
end_waiting:
#endif
           if
           :: is_woken[me]
           :: atomic { cancels > 0 -> cancels-- };
              /* ~node */
              LOCK;
              d_step {
                number[me] = 0;
                if
                :: is_queued[me] -> is_queued[me] = false; queued--
                :: else
                fi
              };
              if
              :: is_woken[me] ->
                 d_step { is_woken[me] = false; woken-- };
#ifndef NO_PASSING_ON
                 places = 1;
                 wake(places)
#endif
              :: else
              fi;
              UNLOCK;
              break
           fi
        od
     fi;
     atomic { ok = false; ticket = 0 }
  od;
  done++
}

#if CLOSING
/* mailbox_state::refuse, once or twice. */
proctype closer() {
  byte places = 0, seen = 0, i = 0, j = 0;
  do
  :: closed < CLOSING ->
     LOCK;
     closed++;
#ifndef CLOSE_WITHOUT_WAKING
     places = SENDERS;
     wake(places);
     notify_space();
#endif
     UNLOCK
  :: else -> break
  od
}
#endif

#if PAUSES
/* wait_list::wake(1), of those that wait for a permit. */
inline wake_for_permit() {
  i = 0;
  do
  :: i < COROUTINES && !waits_for_permit[i] -> i++
  :: else -> break
  od;
  if
  :: i < COROUTINES ->
     waits_for_permit[i] = false;
     permits_queued--;
     has_permit_now[i] = true;
     permits_woken++;
     ok = true
  :: else
  fi;
  i = 0
}

/* mailbox_state::hand_over: sets `ok`. */
inline hand_over() {
  ok = false;
  LOCK_PERMITS;
  d_step { wake_for_permit(); wanted = permits_queued };
  if
  :: ok -> handed_over++
  :: else
  fi;
  UNLOCK_PERMITS
}

/* Sets `ok`. */
inline claim_loop() {
  d_step {
    if
    :: running < LOOPS -> running++; ok = true
    :: else -> ok = false
    fi
  }
}

inline start_loop_if_needed() {
  if
#ifndef UNSEEN_MESSAGES
  :: !IS_EMPTY ->
     atomic {
       if
       :: running < LOOPS -> start_loop()
       :: else
       fi
     }
#endif
  :: else
  fi
}

/* mailbox_state::release_permit, of a loop that has a permit. */
inline release_permit() {
  holding--;
  ok = false;
  if
  :: wanted != 0 -> hand_over()
  :: else
  fi;
  if
  :: ok
  :: else ->
     do
     :: running--;
#ifdef NO_LOOK_FOR_WANTED
        break
#else
        if
        :: wanted == 0 -> break
        :: else -> claim_loop()
        fi;
        if
        :: !ok -> break
        :: else -> hand_over()
        fi;
        if
        :: ok -> break
        :: else
        fi
#endif
     od
  fi
}

/* The rest of the pause: sets `found` if the loop has a permit again. */
inline come_back() {
  LOCK_PERMITS;
#ifndef LATE_WANTED
  wanted = permits_queued + 1;
#endif
  claim_loop();
#ifdef LATE_WANTED
  wanted = permits_queued + 1;
#endif
  if
  :: ok -> d_step { wanted = permits_queued; found = true }
  :: else -> d_step { waits_for_permit[me] = true; permits_queued++ }
  fi;
  UNLOCK_PERMITS;
  if
  :: ok
  :: else ->
     if
     :: has_permit_now[me] ->
        LOCK_PERMITS;
        d_step { has_permit_now[me] = false; permits_woken--; handed_over--; found = true };
        UNLOCK_PERMITS
     :: atomic { cancels > 0 -> cancels-- };
        LOCK_PERMITS;
        d_step {
          if
          :: waits_for_permit[me] -> waits_for_permit[me] = false; permits_queued--
          :: else -> has_permit_now[me] = false; permits_woken--; wake_for_permit()
          fi;
          ok = false
        };
        UNLOCK_PERMITS;
#ifndef NO_RECLAIM
        /* reclaim_permits */
        LOCK_PERMITS;
        do
        :: handed_over > permits_woken ->
           ok = false;
#ifndef BLIND_RECLAIM
           atomic { wake_for_permit() };
#endif
           if
           :: ok
           :: else -> handed_over--; running--
           fi
        :: else -> break
        od;
        atomic { ok = false; wanted = permits_queued };
        UNLOCK_PERMITS;
#endif
        start_loop_if_needed()
     fi
  fi;
  if
  :: found -> d_step { holding++; assert(holding <= LOOPS) }
  :: else
  fi
}

/* exec::time_beside. Sets `found` if the loop goes on. */
inline pause() {
  LOCK;
  paused++;
  UNLOCK;
  release_permit();
  start_loop_if_needed();
#ifdef LONG
  if
  :: true
  :: atomic { !is_long -> is_long = true };
end_pausing:
     false
  fi;
#endif
  found = false;
  come_back();
  LOCK;
  paused--;
  UNLOCK;
  look_for_sleepers(true)
}
#endif

inline look_for_sleepers(surely) {
#ifndef HIDDEN_ROOM
  if
  :: surely -> shown = taken
  :: else
  fi;
#endif
  if
  :: sleeping != 0 ->
     LOCK;
     notify_space();
     UNLOCK
  :: else
  fi
}

proctype loop(byte me) {
  byte got = 0, places = 0, seen = 0, i = 0, j = 0;
  bool found = false, ok = false;
end:
  do
  :: atomic { posted > 0 -> posted-- };
     do
     :: got = 0;
#if PAUSES
        if
        :: wanted != 0 ->
           holding--;
           hand_over();
           if
           :: ok -> break
           :: else -> holding++
           fi
        :: else
        fi;
#endif
        do
        :: got < BATCH ->
           atomic {
             if
             :: taken < MESSAGES && published[taken] -> taken++; found = true
             :: else -> found = false
             fi
           };
           if
           :: found -> shown = taken
           :: true
           fi;
           if
           :: !found -> break
           :: else
           fi;
           got++;
           if
           :: true -> look_for_sleepers(true) /* the handler suspends: before it is awaited */
           :: true
           fi;
#ifdef STUCK
           if
           :: taken == 1 ->
              is_stuck = true;
end_stuck:
              false
           :: else
           fi;
#endif
#if PAUSES
           found = true;
           if
           :: atomic { pauses > 0 -> pauses-- }; pause()
           :: true
           fi;
#endif
           handled++;
#if PAUSES
           if
           :: !found -> goto ended /* its message was given up, and it has no permit */
           :: else
           fi;
#endif
           if
           :: true -> look_for_sleepers(false)
           :: true /* this look has come too early to see */
           fi
        :: else -> break
        od;
        look_for_sleepers(true);
        if
        :: got != 0
        :: else ->
           /* end_loop */
           d_step { running--; holding-- };
#ifdef NO_SECOND_LOOK
           break
#else
           if
           :: IS_EMPTY && WANTED == 0 -> break
           :: else ->
              atomic {
                if
                :: running < LOOPS -> running++; found = true
                :: else -> found = false
                fi
              };
              if
              :: found
              :: else -> break
              fi;
#if PAUSES
              if
              :: wanted != 0 -> hand_over()
              :: else -> ok = false
              fi;
              if
              :: ok -> break
              :: else
              fi;
#endif
              holding++;
              assert(holding <= LOOPS)
           fi
#endif
        fi
     od;
ended:
     atomic { got = 0; found = false; ok = false }
  od
}

/* Looks when nothing else can happen. */
active proctype watch() {
  timeout ->
  assert(closed == CLOSING);
  if
  :: is_stuck ->
     /* sender 0 may wait, if the mailbox is not closed to it */
     assert(done + queued == SENDERS && woken == 0);
     assert(queued == 0 || (closed == 1 && queued == 1 && is_queued[0]))
#ifdef LONG
  :: is_long ->
     assert(running == 0 && posted == 0 && holding == 0);
     assert(taken == tail && handled + 1 == taken_in);
     assert(paused == 1 && permits_queued == 0 && permits_woken == 0 && handed_over == 0)
#endif
  :: else ->
     assert(done == SENDERS);
     assert(queued == 0 && woken == 0);
     assert(running == 0 && posted == 0 && holding == 0);
     assert(taken == tail && handled == taken_in);
     assert(closed != 0 || refused == 0);
#if PAUSES
     assert(paused == 0 && permits_queued == 0 && permits_woken == 0 && handed_over == 0)
#endif
  fi
}

init {
  byte s = 0;
  if /* a sender that could give up is not one that waits for ever: both ways */
  :: cancels = CANCELS
  :: true
  fi;
  atomic {
    do
    :: s < SENDERS -> run sender(s); s++
    :: else -> break
    od;
    s = 0;
    do
    :: s < COROUTINES -> run loop(s); s++
    :: else -> break
    od;
#if CLOSING
    run closer()
#endif
  }
}
