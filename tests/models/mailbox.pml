/* The protocol of exec/mailbox_state: senders, a consumer loop started on demand, and senders that
 * wait for room in a wait_list.
 *
 * Checked for every interleaving of SENDERS that send EACH messages to a mailbox of CAPACITY with
 * LOOPS (1 is the queue of blocks, more is the queue of references):
 *  - never more than CAPACITY messages wait (A6);
 *  - when nothing can happen any more, no message is left and no sender waits (A7).
 * A sender may give up while it waits (A9), CANCELS times in all.
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
 * NO_PASSING_ON, LATE_COUNT, KEEP_CLAIM, HIDDEN_ROOM.
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
#define BATCH 2
#define MESSAGES (SENDERS * EACH)

/* The queue: positions from 0 on. */
byte tail = 0;
byte taken = 0;
byte shown = 0; /* what senders see of it */
bool published[MESSAGES];

byte running = 0;
byte posted = 0; /* loops that the executor is to run */

/* The waiting senders; all but `sleeping` and `hindrances` under the lock. */
bool locked = false;
byte hindrances = 0; /* senders that are queued or woken, or more */
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
    :: tail - seen < CAPACITY -> result = CAPACITY - (tail - seen)
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
  look_for_room(places);
  if
  :: places > woken -> places = places - woken; wake(places)
  :: else -> places = 0
  fi;
  d_step { hindrances = queued + woken; sleeping = queued }
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
       :: running < LOOPS -> running++; posted++
       :: else
       fi
     }
  :: else
  fi;
  may_start = false
}

proctype sender(byte me) {
  byte left = EACH, ticket = 0, places = 0, others = 0, seen = 0, i = 0, j = 0;
  bool ok = false, may_start = false;
  do
  :: left == 0 -> break
  :: else ->
     left--;
     /* try_put */
     ok = false;
     if
     :: hindrances == 0 -> claim()
     :: else ->
        LOCK;
        d_step { others = queued + woken; hindrances = others; sleeping = queued };
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
     :: else ->
        /* wait_list::wait */
        do
        :: LOCK;
           /* attempt */
           others = queued + woken - is_woken[me];
#ifndef LATE_COUNT
           d_step { hindrances = others + 1; sleeping = queued + 1 };
#endif
           look_for_room(places);
           if
           :: places > (is_woken[me] -> 0 : others) -> claim()
           :: else -> ok = false
           fi;
#ifdef LATE_COUNT
           d_step { hindrances = others + 1; sleeping = queued + 1 };
#endif
           if
           :: ok -> d_step { hindrances = others; sleeping = queued }
           :: else
           fi;
           /* try_or_join */
           d_step {
             if
             :: is_woken[me] ->
                is_woken[me] = false;
#ifdef KEEP_CLAIM
                if
                :: ok -> woken--
                :: else
                fi
#else
                woken--
#endif
             :: else
             fi;
             if
             :: ok -> number[me] = 0
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
           :: else
           fi;
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

proctype loop() {
  byte got = 0, places = 0, seen = 0, i = 0, j = 0;
  bool found = false;
end:
  do
  :: atomic { posted > 0 -> posted-- };
     do
     :: got = 0;
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
           handled++;
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
           running--;
#ifdef NO_SECOND_LOOK
           break
#else
           if
           :: IS_EMPTY -> break
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
              fi
           fi
#endif
        fi
     od;
     atomic { got = 0; found = false }
  od
}

/* Looks when nothing else can happen. */
active proctype watch() {
  timeout ->
  assert(done == SENDERS);
  assert(queued == 0 && woken == 0);
  assert(running == 0 && posted == 0);
  assert(taken == tail && handled == taken_in)
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
    :: s < LOOPS -> run loop(); s++
    :: else -> break
    od
  }
}
