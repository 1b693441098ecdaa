/* One key, its log and its file of numbers: what a daemon, the kernel and a disk can do to them, and what
   must hold all the same. `check` runs it, as it is and broken; README.md says what stands for what. */

#define CLIENTS 2
#ifndef RECORDS
#define RECORDS 6  /* how long the log may become */
#endif
#ifndef TICKS
#define TICKS 3    /* how far the clock goes */
#endif
#ifndef CRASHES
#define CRASHES 2  /* ends of the process, with or without the power */
#endif
#define TTL 2
#ifndef BLOCK
#define BLOCK 2    /* tokens that are reserved at once */
#endif

mtype = { granted, renewed, ended, started }              /* what a record says */
mtype = { down, mending, numbering, beginning, serving }    /* how far a daemon is */
mtype = { idle, waiting, holding, renewing, releasing, leaving }     /* what a client is about */

typedef Record {
    mtype word;
    byte token;
    byte until;
    byte synced;   /* so many records were known to be on the disk when its batch was written */
    bool dirty;    /* the kernel knows that it has yet to be written */
    bool onDisk
}

typedef Client {
    mtype phase = idle;
    byte token;
    byte until;    /* up to when it was told that it holds the key */
    byte needs     /* its reply speaks of so many records; 0: no reply is under way */
}

/* What a crash of the process leaves. */
Record log[RECORDS];
byte written;
byte numbersOnDisk;
byte now;
byte crashes;

/* What it takes away. */
mtype phase = down;
byte decided;      /* records; those from `written` on are in the daemon's memory only */
byte synced;
byte underSync;    /* a sync is under way up to here; 0: none is */
byte holder;
byte deadline;
byte lastToken;
byte numbers;      /* tokens up to here may be given */
byte numbersNext;

Client client[CLIENTS];

/* What was said to somebody: no daemon knows this. */
byte greatestTold;
byte greatestEnded;

byte i;
byte hole;

#define room(count) (decided + count <= RECORDS)

#ifdef CLAIMS_WHAT_IS_WRITTEN
#define CLAIM written
#else
#define CLAIM synced
#endif

inline decide(what, number, end) {
    log[decided].word = what;
    log[decided].token = number;
    log[decided].until = end;
    log[decided].synced = 0;
    log[decided].dirty = false;
    log[decided].onDisk = false;
    decided++
}

inline write() {
    log[written].synced = CLAIM;
    do
    :: written < decided -> log[written].dirty = true; written++
    :: else -> break
    od
}

inline forgetClient(c) {
    if
    :: client[c].phase == holding || client[c].phase == renewing -> client[c].phase = holding
    :: else -> client[c].phase = idle; client[c].token = 0; client[c].until = 0
    fi;
    client[c].needs = 0
}

/* The process is gone. Of the batch that it was writing any beginning may be in the file. */
inline die() {
    do
    :: written < decided ->
        if
        :: log[written].synced = 0; log[written].dirty = true; written++
        :: break
        fi
    :: else -> break
    od;
    i = written;
    do
    :: i < RECORDS ->
        log[i].word = 0; log[i].token = 0; log[i].until = 0; log[i].synced = 0;
        log[i].dirty = false; log[i].onDisk = false; i++
    :: else -> break
    od;
    i = 0;
    decided = written;
    phase = down; synced = 0; underSync = 0; holder = 0; deadline = 0; lastToken = 0;
    numbers = 0; numbersNext = 0;
    forgetClient(0);
    forgetClient(1)
}

/* What the kernel had yet to write is on the disk or not, each record for itself. What it believed to be
   there and isn't is lost. Behind the first gap nothing is read; but nothing there may claim the gap. */
inline losePower() {
    i = 0; hole = written;
    do
    :: i < written ->
        if
        :: log[i].dirty && !log[i].onDisk -> log[i].onDisk = true
        :: !log[i].onDisk && hole == written -> hole = i
        :: !log[i].onDisk && hole < written
        :: log[i].onDisk ->
            assert(hole == written || log[i].synced <= hole)      /* else the start is refused */
        fi;
        log[i].dirty = false;
        i++
    :: else -> break
    od;
    i = hole;
    do
    :: i < written ->
        log[i].word = 0; log[i].token = 0; log[i].until = 0; log[i].synced = 0; log[i].onDisk = false; i++
    :: else -> break
    od;
    i = 0;
    written = hole; decided = hole; hole = 0
}

/* A sync that fails: the kernel takes for clean what it could not write. */
inline forgetPages(end) {
    i = 0;
    do
    :: i < end ->
        if
        :: log[i].dirty -> log[i].dirty = false
        :: log[i].dirty -> log[i].dirty = false; log[i].onDisk = true
        :: !log[i].dirty
        fi;
        i++
    :: else -> break
    od;
    i = 0
}

inline syncUpTo(end) {
    i = 0;
    do
    :: i < end && log[i].dirty -> log[i].dirty = false; log[i].onDisk = true; i++
    :: i < end && !log[i].dirty -> i++
    :: else -> break
    od;
    i = 0
}

/* The log is read, and what no record claims as synced is written once more, byte for byte: what a daemon
   before this one failed to sync may be in the kernel's memory only, and clean. */
inline recover() {
    i = 0;
    do
    :: i < written ->
        if
        :: log[i].synced > synced -> synced = log[i].synced
        :: else
        fi;
        if
        :: log[i].word == granted -> holder = log[i].token; deadline = log[i].until; lastToken = log[i].token
        :: log[i].word == renewed -> deadline = log[i].until
        :: log[i].word == ended -> holder = 0; deadline = 0
        :: log[i].word == started -> lastToken = log[i].token
        fi;
        i++
    :: else -> break
    od;
#ifndef TRUSTS_WHAT_IT_READ
    i = synced;
    do
    :: i < written -> log[i].dirty = true; i++
    :: else -> break
    od;
#endif
    i = 0;
#ifndef STARTS_WITHOUT_THE_NUMBERS
    if
    :: numbersOnDisk > lastToken -> lastToken = numbersOnDisk
    :: else
    fi
#endif
}

#if defined(ANSWERS_WHEN_WRITTEN) || defined(SYNC_NEVER)
#define MAY_SAY(count) (count <= written)
#else
#define MAY_SAY(count) (count <= synced)
#endif

#ifdef ENDS_BEFORE_ITS_TIME
#define IS_OVER (now + 1 >= deadline)
#else
#define IS_OVER (now >= deadline)
#endif

inline answer(c) {
    if
    :: client[c].phase == waiting ->
        client[c].token = log[client[c].needs - 1].token;
        client[c].until = log[client[c].needs - 1].until;
        if
        :: client[c].token > greatestTold -> greatestTold = client[c].token
        :: else
        fi;
        client[c].phase = holding
    :: client[c].phase == renewing ->
        client[c].until = log[client[c].needs - 1].until;
        client[c].phase = holding
    :: client[c].phase == releasing || client[c].phase == leaving ->
        if
        :: client[c].token > greatestEnded -> greatestEnded = client[c].token
        :: else
        fi;
        client[c].phase = idle; client[c].token = 0; client[c].until = 0
    fi;
    client[c].needs = 0
}

/* What is due ends before a request about it is looked at. */
#define isSettled(c) (!(holder == client[c].token && IS_OVER))

inline endLease() {
    decide(ended, holder, 0);
    holder = 0; deadline = 0
}

inline forgetLease() {
    holder = 0; deadline = 0
}

#ifdef RELEASES_IN_MEMORY_ONLY
#define END_LEASE forgetLease()
#else
#define END_LEASE endLease()
#endif

/* Each step is one that nothing can interrupt; between any two of them the process or the power may go. */
active proctype world() {
    end: do
    /* The two clients: the same steps for each. */
    :: atomic { client[0].phase == idle && phase == serving -> client[0].phase = waiting }
    :: atomic { /* it is granted */
        phase == serving && client[0].phase == waiting && client[0].needs == 0 && holder == 0 &&
        lastToken < numbers && room(1) ->
        lastToken++; holder = lastToken; deadline = now + TTL;
        assert(holder > greatestTold);                            /* the order of tokens */
        decide(granted, holder, deadline);
        client[0].needs = decided }
    :: atomic { /* it renews */
        phase == serving && client[0].phase == holding && room(1) && isSettled(0) ->
        if
        :: holder == client[0].token ->
            deadline = now + TTL;
            decide(renewed, holder, deadline);
            client[0].phase = renewing
        :: else -> client[0].phase = leaving
        fi;
        client[0].needs = decided }
    :: atomic { /* it releases */
        phase == serving && client[0].phase == holding && room(1) && isSettled(0) ->
        if
        :: holder == client[0].token ->
            END_LEASE;
            client[0].phase = releasing
        :: else -> client[0].phase = leaving
        fi;
        client[0].needs = decided }
    :: atomic { client[0].needs > 0 && MAY_SAY(client[0].needs) -> answer(0) }
    :: atomic { client[1].phase == idle && phase == serving -> client[1].phase = waiting }
    :: atomic { /* it is granted */
        phase == serving && client[1].phase == waiting && client[1].needs == 0 && holder == 0 &&
        lastToken < numbers && room(1) ->
        lastToken++; holder = lastToken; deadline = now + TTL;
        assert(holder > greatestTold);                            /* the order of tokens */
        decide(granted, holder, deadline);
        client[1].needs = decided }
    :: atomic { /* it renews */
        phase == serving && client[1].phase == holding && room(1) && isSettled(1) ->
        if
        :: holder == client[1].token ->
            deadline = now + TTL;
            decide(renewed, holder, deadline);
            client[1].phase = renewing
        :: else -> client[1].phase = leaving
        fi;
        client[1].needs = decided }
    :: atomic { /* it releases */
        phase == serving && client[1].phase == holding && room(1) && isSettled(1) ->
        if
        :: holder == client[1].token ->
            END_LEASE;
            client[1].phase = releasing
        :: else -> client[1].phase = leaving
        fi;
        client[1].needs = decided }
    :: atomic { client[1].needs > 0 && MAY_SAY(client[1].needs) -> answer(1) }

    /* The daemon. */
    :: atomic { phase == serving && holder != 0 && IS_OVER && room(1) -> endLease() }
    :: atomic { phase == serving && written < decided -> write() }
    :: atomic { phase == serving && underSync == 0 && synced < written -> underSync = written }
    :: atomic { underSync > 0 -> syncUpTo(underSync); synced = underSync; underSync = 0 }
    :: atomic { /* the sync failed */
        underSync > 0 && crashes < CRASHES ->
        crashes++; forgetPages(underSync);
#ifdef GOES_ON_AFTER_A_FAILED_SYNC
        synced = underSync; underSync = 0
#else
        die()
#endif
    }
    :: atomic { phase == serving && numbersNext == 0 && lastToken >= numbers ->
        numbersNext = lastToken + BLOCK;
#ifdef USES_NUMBERS_BEFORE_THEY_ARE_RESERVED
        numbers = numbersNext
#endif
    }
    :: atomic { phase == serving && numbersNext > 0 ->
        numbersOnDisk = numbersNext; numbers = numbersNext; numbersNext = 0 }

    /* A start, step by step. */
    :: atomic { phase == down && room(1) -> recover(); phase = mending }
    :: atomic { phase == mending -> syncUpTo(written); synced = written; phase = numbering }
    :: atomic { phase == mending && crashes < CRASHES -> crashes++; forgetPages(written); die() }
    :: atomic { phase == numbering ->
        numbersOnDisk = lastToken + BLOCK; numbers = numbersOnDisk; phase = beginning }
    :: atomic { phase == beginning && written == synced ->
        decide(started, lastToken, 0); write() }
    :: atomic { phase == beginning && written > synced ->
        syncUpTo(written); synced = written; phase = serving }
    :: atomic { phase == beginning && written > synced && crashes < CRASHES ->
        crashes++; forgetPages(written); die() }

    /* What comes from outside. */
    :: atomic { phase != down && crashes < CRASHES -> crashes++; die() }
    :: atomic { crashes < CRASHES -> crashes++; die(); losePower() }
    :: atomic { now < TICKS -> now++ }
    od
}

#define holds(c) ((client[c].phase == holding || client[c].phase == renewing) && now < client[c].until)

/* Where nothing is synced, the power takes leases with it: then only the order of tokens is promised. */
#ifndef SYNC_NEVER
/* What must hold between any two steps: exclusion, none is lost, none comes back. */
active proctype laws() {
    end: do
    :: atomic { holds(0) && holds(1) -> assert(false) }
    :: atomic { phase == serving && holds(0) && holder != client[0].token -> assert(false) }
    :: atomic { phase == serving && holds(1) && holder != client[1].token -> assert(false) }
    :: atomic { phase == serving && holder != 0 && holder <= greatestEnded -> assert(false) }
    od
}
#endif
