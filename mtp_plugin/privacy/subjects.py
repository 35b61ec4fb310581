"""What visitors may ask of their data, as one service behind the API, the commands and the account page.

An erasure is a list of steps, each written down when it is done and each able to run again: suppress (so that nothing
new comes in), every holder of data, the models, and every holder once more (for what was under way in another process).
One that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from ..errors import InputError, NotFoundError
from ..ports import AuditLog, ConsentDecision, ConsentLog, Holder, SubjectLog, SubjectRequest, Suppression
from .consent import OPTIONAL
from .pii import Hasher
from .suppressed import ERASED, OBJECTED, RESTRICTED, Suppressed

log = logging.getLogger(__name__)

KINDS = ("erase", "restrict", "lift", "object", "rectify")
BLOCKS = {"restrict": RESTRICTED, "object": OBJECTED}
EXPORT = "export"
"""A request that somebody else brings, such as the shop's platform: whoever runs the shop hands the answer out."""
ANSWER_DAYS = 30
"""Within so many days it has to be answered (GDPR article 12, Shopify's terms)."""
Models = Callable[[Sequence[str]], int]
"""Takes visitors out of all models; gives how many bundles were made anew or deleted."""


class Subjects:
    """Requests of visitors.

    :param holders: whoever keeps data of visitors; the list may grow later
    :param models: takes visitors out of the models
    :param correct: takes new values of a visitor's traits (``None`` removes one); gives how many were changed
    :param policy: version of the privacy policy that holds
    :param clock: seconds since 1970
    :param new_id: gives ids for requests
    """

    def __init__(
        self,
        *,
        holders: list[Holder],
        requests: SubjectLog,
        consents: ConsentLog,
        audit: AuditLog,
        hasher: Hasher,
        suppressed: Suppressed,
        models: Models,
        correct: Callable[[str, dict[str, Any]], int],
        policy: str,
        clock: Callable[[], float],
        new_id: Callable[[float], str],
    ) -> None:
        self.holders, self.suppressed = holders, suppressed
        self._requests, self._consents, self._audit, self._hasher = requests, consents, audit, hasher
        self._models, self._correct, self._policy = models, correct, policy
        self._clock, self._new_id = clock, new_id

    # ------------------------------------------------------------------------------------------- reading

    def everybody(self, profile_ids: Iterable[str]) -> tuple[str, ...]:
        """These ids and all that are linked with them, those named first."""
        found = dict.fromkeys(profile_ids)
        todo = list(found)
        while todo:
            name = todo.pop()
            fresh = [other for holder in self.holders for other in holder.linked(name) if other not in found]
            found.update(dict.fromkeys(fresh))
            todo += fresh
        return tuple(found)

    def export(self, profile_ids: Sequence[str], actor: str, *, linked: bool = True) -> dict[str, Any]:
        """All that is kept of a visitor, as JSON can hold it; in the audit log, too.

        :param linked: with all ids that are known to be the same person
        """
        ids = self.everybody(_some(profile_ids)) if linked else tuple(_some(profile_ids))
        now = self._clock()
        data = {holder.name: holder.export(ids) for holder in self.holders}
        subject = self._hasher.subject(ids[0])
        data["requests"] = [_shown(one) for name in ids for one in self.requests_of(name)]
        data["suppressions"] = [
            {"kind": one.kind, "since": one.since, "active": one.active}
            for name in ids
            for one in self.suppressed.found(name)
        ]
        sizes = {name: len(part) for name, part in data.items() if part}
        self._audit.append(actor, "subject.exported", subject, {"parts": sizes}, at=now)
        return {"ids": list(ids), "exported_at": now, **data}

    def requests_of(self, profile_id: str) -> list[SubjectRequest]:
        """What this visitor asked for."""
        return [one for subject in self._hasher.subjects(profile_id) for one in self._requests.of(subject)]

    def get(self, request_id: str) -> SubjectRequest:
        """A request by its id.

        :raises NotFoundError: there is none
        """
        found = self._requests.get(request_id)
        if found is None:
            raise NotFoundError("there is no such request", field="request_id")
        return found

    def waiting(self) -> list[SubjectRequest]:
        """Requests for an export that nobody has handed out yet, oldest first."""
        return [one for one in self._requests.unfinished() if one.kind == EXPORT]

    def hand_out(self, request_id: str, actor: str) -> dict[str, Any]:
        """The export that was asked for, as of now; the request is done with it.

        :raises NotFoundError: no such request waits
        """
        request = next((one for one in self.waiting() if one.request_id == request_id), None)
        if request is None:
            raise NotFoundError("no such request waits for an export", field="request_id")
        found = self.export(request.profile_ids, actor, linked=False)
        sizes = {name: len(part) for name, part in found.items() if isinstance(part, (list, dict)) and part}
        self._finish(self._did(request, EXPORT, {"by": actor, "parts": sizes}))
        return found

    # ------------------------------------------------------------------------------------------- asking

    def ask_export(self, profile_ids: Sequence[str], actor: str) -> SubjectRequest:
        """Note that exactly these profiles are to be exported, by :meth:`hand_out`, within :data:`ANSWER_DAYS`."""
        return self._new(EXPORT, tuple(_some(profile_ids)), actor)

    def erase(
        self, profile_ids: Sequence[str], actor: str, *, models: bool = True, linked: bool = True
    ) -> SubjectRequest:
        """Erase a visitor from everything.

        :param models: at once; else by :meth:`resume`, for many visitors together, and the request stays open till then
        :param linked: with all ids that are known to be the same person
        """
        ids = _some(profile_ids)
        request = self._new("erase", self.everybody(ids) if linked else tuple(ids), actor)
        return self._go_on(request, models=models)

    def restrict(self, profile_ids: Sequence[str], actor: str) -> SubjectRequest:
        """Keep what there is and use none of it: nothing new is kept, no profile is read, nothing is learnt of it."""
        return self._go_on(self._new("restrict", self.everybody(_some(profile_ids)), actor), models=False)

    def object(self, profile_ids: Sequence[str], actor: str) -> SubjectRequest:
        """As :meth:`restrict`, for good: the visitor objects to being profiled."""
        return self._go_on(self._new("object", self.everybody(_some(profile_ids)), actor), models=False)

    def lift(self, profile_ids: Sequence[str], actor: str) -> SubjectRequest:
        """Take a restriction or an objection back; what was refused meanwhile is not there, and consent is asked."""
        request = self._new("lift", self.everybody(_some(profile_ids)), actor)
        count = sum(self.readmit(name, {RESTRICTED, OBJECTED}) for name in request.profile_ids)
        return self._finish(self._did(request, "lift", count))

    def rectify(self, profile_ids: Sequence[str], actor: str, traits: dict[str, Any]) -> SubjectRequest:
        """Correct traits; ``None`` removes one. Kept as an event, so that a rebuild keeps it.

        :raises InputError: there is nothing to correct
        """
        if not traits:
            raise InputError("name at least one trait to correct", field="traits")
        ids = tuple(_some(profile_ids))
        request = self._new("rectify", ids, actor)
        count = self._correct(ids[0], traits)
        return self._finish(self._did(request, "rectify", {"traits": sorted(traits), "changed": count}))

    def readmit(self, profile_id: str, kinds: Iterable[str] = (ERASED,)) -> int:
        """Let new events in again, such as after a new yes; what happened before an erasure stays refused."""
        lifted = [
            msgspec.structs.replace(one, active=False)
            for one in self.suppressed.found(profile_id)
            if one.active and one.kind in kinds
        ]
        if lifted:
            self._requests.suppress(*lifted)
            self.suppressed.look()
        return len(lifted)

    # ------------------------------------------------------------------------------------------- doing

    def resume(self) -> list[SubjectRequest]:
        """Bring all requests to their end that are not; the models are made anew once for all of them."""
        open_ones = [one for one in self._requests.unfinished() if one.kind != EXPORT]
        taken = [self._go_on(request, models=False) for request in map(self._reopened, open_ones)]
        done = [request for request in taken if request.finished_at]
        waiting = [request for request in taken if not request.finished_at]
        if waiting:
            count = self._models(sorted({name for request in waiting for name in request.profile_ids}))
            done += [self._end(self._did(request, "models", count)) for request in waiting]
        return done

    def _reopened(self, request: SubjectRequest) -> SubjectRequest:
        """A request that was interrupted; what to correct is written nowhere, so it has to be asked for again."""
        if request.kind == "erase" or request.kind in BLOCKS:
            return request
        return self._finish(self._did(request, "interrupted", True))

    def _new(self, kind: str, profile_ids: tuple[str, ...], actor: str) -> SubjectRequest:
        now = self._clock()
        request = SubjectRequest(
            request_id=self._new_id(now),
            kind=kind,
            subject=self._hasher.subject(profile_ids[0]),
            actor=actor,
            requested_at=now,
            profile_ids=profile_ids,
        )
        self._requests.save(request)
        self._audit.append(actor, f"subject.{kind}-asked", request.subject, {"request": request.request_id}, at=now)
        return request

    def _go_on(self, request: SubjectRequest, *, models: bool) -> SubjectRequest:
        if request.finished_at:
            return request
        for name, step in self._steps(request):
            if name not in request.steps:
                request = self._did(request, name, step(request.profile_ids))
        if "models" in request.steps:
            return self._end(request)
        return self._end(self._did(request, "models", self._models(request.profile_ids))) if models else request

    def _steps(self, request: SubjectRequest) -> list[tuple[str, Callable[[Sequence[str]], Any]]]:
        if request.kind == "erase":
            block = [("suppress", lambda ids: self._suppress(ids, ERASED, request.requested_at))]
            return [*block, *((holder.name, holder.erase) for holder in self.holders), ("exports", self._withdraw)]
        if request.kind in BLOCKS:
            kind = BLOCKS[request.kind]
            return [
                ("suppress", lambda ids: self._suppress(ids, kind, request.requested_at)),
                ("refuse", lambda ids: self._refuse(ids, request.requested_at)),
            ]
        return []

    def _suppress(self, profile_ids: Sequence[str], kind: str, since: float) -> int:
        subjects = [self._hasher.subject(name) for name in profile_ids]
        self._requests.suppress(*(Suppression(subject=one, kind=kind, since=since) for one in subjects))
        self.suppressed.look()
        return len(subjects)

    def _withdraw(self, profile_ids: Sequence[str]) -> int:
        """Exports that wait name their visitor: of who is erased nothing is left to hand out."""
        gone, count = set(profile_ids), 0
        for request in self.waiting():
            left = tuple(name for name in request.profile_ids if name not in gone)
            if left == request.profile_ids:
                continue
            count += 1
            if left:
                self._requests.save(msgspec.structs.replace(request, profile_ids=left))
            else:
                self._finish(self._did(request, "erased", True))
        return count

    def _refuse(self, profile_ids: Sequence[str], at: float) -> int:
        """Put the objection where every request looks: among the decisions about consent."""
        for name in profile_ids:
            self._consents.append(
                *(
                    ConsentDecision(
                        subject_id=name,
                        purpose=purpose.value,
                        granted=False,
                        policy_version=self._policy,
                        decided_at=at,
                        source="subject-request",
                        status="revoked",
                    )
                    for purpose in OPTIONAL
                )
            )
        return len(profile_ids)

    def _end(self, request: SubjectRequest) -> SubjectRequest:
        """The last sweep, for what another process had under way, and the receipt."""
        if request.kind == "erase":
            swept = {holder.name: holder.erase(request.profile_ids) for holder in self.holders}
            request = self._did(request, "sweep", {name: count for name, count in swept.items() if count})
        return self._finish(request)

    def _did(self, request: SubjectRequest, step: str, outcome: Any) -> SubjectRequest:
        done = msgspec.structs.replace(request, steps={**request.steps, step: outcome})
        self._requests.save(done)
        return done

    def _finish(self, request: SubjectRequest) -> SubjectRequest:
        """Close a request; from here on nothing in it names the visitor."""
        now = self._clock()
        done = msgspec.structs.replace(request, profile_ids=(), finished_at=now)
        told = {"request": request.request_id, "steps": request.steps}
        self._audit.append(request.actor, f"subject.{request.kind}-done", request.subject, told, at=now)
        self._requests.save(done)
        return done


def _some(profile_ids: Sequence[str]) -> Sequence[str]:
    if not profile_ids:
        raise InputError("nobody is named", field="profile_ids")
    for name in profile_ids:
        if name[:2] not in ("u:", "a:") or len(name) < 3:
            raise InputError("write u: before an account's id, a: before a visitor's", field="profile_ids")
    return profile_ids


def _shown(request: SubjectRequest) -> dict[str, Any]:
    """A request as its visitor may read it."""
    told: dict[str, Any] = msgspec.to_builtins(request)
    del told["profile_ids"]
    return told
