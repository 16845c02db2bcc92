"""What a user, a document, a passage, a question and an open stream cost each part of the product, and what follows for many.

``python -m benchmarks.unit_costs`` measures, by counting bytes and seconds of the processor, which a busy machine disturbs little;
``--write`` keeps the figures in ``benchmarks/unit_costs/figures.json`` and writes the tables of ``docs/scaling.md`` anew.
"""
