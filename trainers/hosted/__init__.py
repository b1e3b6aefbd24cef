"""Fine-tuning at a service that speaks OpenAI's jobs: only where a plan names it, capped in money."""
